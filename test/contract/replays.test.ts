import { onEachStore } from '../support/store.ts'
import { attemptsContract } from './attempts.contract.ts'
import { replaysContract } from './replays.contract.ts'

onEachStore((opened) => {
  attemptsContract(opened)
  replaysContract(opened)
})
