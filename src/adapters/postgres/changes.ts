/** Everything that settings are changed through, in somebody's name: each change leaves a row in the audit with it. */
import type { Changes } from '../../app/audit-store.ts'
import { createAccounts } from './accounts.ts'
import { createActions } from './actions.ts'
import { createApps } from './apps.ts'
import { createCatalogs } from './catalogs.ts'
import type { ConfigurationPorts } from './changing.ts'
import { createDeliveries } from './deliveries.ts'
import { createErasures } from './erasures.ts'
import { createEventTypes } from './event-types.ts'
import { createInstallations } from './installations.ts'
import type { KeyUse } from './key-use.ts'
import { createKeys } from './keys.ts'
import { createPresets } from './presets.ts'
import { createSubscriptions } from './subscriptions.ts'

type Beside = {
  readonly keyUse: KeyUse
  /** Stores the decisions that were answered. */
  readonly flush: () => Promise<void>
}

export function createChanges(ports: ConfigurationPorts, { keyUse, flush }: Beside): Changes {
  return {
    subscriptions: createSubscriptions(ports),
    catalogs: createCatalogs(ports),
    eventTypes: createEventTypes(ports),
    presets: createPresets(ports),
    accounts: createAccounts(ports),
    apps: createApps(ports),
    installations: createInstallations(ports),
    actions: createActions(ports),
    deliveries: createDeliveries(ports.database, ports.actor),
    keys: createKeys(ports, keyUse),
    erasures: createErasures(ports, flush),
  }
}
