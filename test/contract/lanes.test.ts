import { onEachStore } from '../support/store.ts'
import { lanesContract, ratesContract } from './lanes.contract.ts'

onEachStore((opened) => {
  lanesContract(opened)
  ratesContract(opened)
})
