import { onEachStore } from '../support/store.ts'
import { switchingContract } from './switching.contract.ts'

onEachStore(switchingContract)
