import { onEachStore } from '../support/store.ts'
import { mendingContract } from './mending.contract.ts'

onEachStore(mendingContract)
