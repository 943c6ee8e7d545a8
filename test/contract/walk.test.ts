import { onEachStore } from '../support/store.ts'
import { walkContract } from './walk.contract.ts'

onEachStore(walkContract)
