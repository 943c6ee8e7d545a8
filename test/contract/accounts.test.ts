import { onEachStore } from '../support/store.ts'
import { accountsContract } from './accounts.contract.ts'

onEachStore(accountsContract)
