import { onEachStore, onServerStore } from '../support/store.ts'
import { leasesContract, sharedLeasesContract } from './leases.contract.ts'

onEachStore(leasesContract)
onServerStore(sharedLeasesContract)
