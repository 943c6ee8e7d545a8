/** Apps and what comes with them, with defaults for everything that a test is not about. */
import type { Store } from '../../src/adapters/postgres/store.ts'
import { systemIds } from '../../src/adapters/system/ids.ts'
import type {
  App,
  Connection,
  Farewell,
  Installation,
  SubscriptionTemplate,
} from '../../src/app/app-store.ts'
import { APPLICATION_EVENT } from '../../src/domain/change.ts'
import { applicationBody, type NamedEvent } from '../../src/domain/notification.ts'
import type { Subscription } from '../../src/domain/subscription.ts'
import { SECRETS, settingsOf } from './items.ts'

export function templateOf(over: Partial<SubscriptionTemplate> = {}): SubscriptionTemplate {
  const { id, active, disabledReason, installationId, leavingSince, ...rest } = {
    installationId: null,
    leavingSince: null,
    ...settingsOf(),
  }
  void [id, active, disabledReason, installationId, leavingSince]
  const { auth, headers } = SECRETS
  return { ...rest, auth, headers, events: [APPLICATION_EVENT, 'record.created'], ...over }
}

export function appOf(accountId: string, over: Partial<App> = {}): Omit<App, 'createdAt'> {
  return {
    accountId,
    id: systemIds.make('sub').replace('sub_', 'app-'),
    name: 'An app "quoted" – \u{1f600}',
    secret: 'secret-of-the-app',
    redirect: 'https://app.test/connected',
    scopes: ['approve', 'read'],
    subscriptions: [templateOf()],
    ...over,
  }
}

/** What a subscription of an installation is, before it is stored. */
export function appSubscription(
  { accountId, id }: Pick<Installation, 'accountId' | 'id'>,
  over: Partial<Subscription> = {},
): Subscription {
  return {
    ...settingsOf({ events: [APPLICATION_EVENT, 'record.created'] }),
    ...SECRETS,
    accountId,
    installationId: id,
    leavingSince: null,
    revision: 1,
    createdAt: '',
    updatedAt: '',
    ...over,
  }
}

type ApplicationDraft = {
  readonly accountId: string
  readonly appId: string
  readonly action: 'added' | 'removed'
  readonly told: readonly string[]
  readonly accessToken?: string | undefined
}

/** The event that an app was connected, or disconnected. */
function applicationEventOf(draft: ApplicationDraft): NamedEvent {
  const { told, accessToken = null, ...occurrence } = draft
  const body = applicationBody({ ...occurrence, userId: 'u1', accessToken })
  return { id: systemIds.make('evt'), subscriptionIds: told, body }
}

export const tokenOf = (connection: Connection): string => `token of ${connection.key.id}`
export const hashOf = (keyId: string): string => `hash of ${keyId}`

type ConnectionDraft = {
  readonly accountId: string
  readonly app: Pick<App, 'accountId' | 'id'>
  /** One that listens to everything, where nothing is said. */
  readonly subscriptions?: readonly Partial<Subscription>[]
}

export function connectionOf(draft: ConnectionDraft): Connection {
  const { accountId, app, subscriptions = [{}] } = draft
  const id = systemIds.make('ins')
  const keyId = systemIds.make('key')
  const scopes = ['read'] as const
  const own = subscriptions.map((over) => appSubscription({ accountId, id }, over))
  const key = { id: keyId, name: 'An app', accountId, scopes, expiresAt: null }
  const told = own.map((one) => one.id)
  const accessToken = `token of ${keyId}`
  const added = { accountId, appId: app.id, action: 'added', told, accessToken } as const
  return {
    installation: {
      accountId,
      id,
      appAccountId: app.accountId,
      appId: app.id,
      userId: 'u1',
      scopes,
    },
    key,
    keyHash: hashOf(keyId),
    subscriptions: own,
    events: told.length === 0 ? [] : [applicationEventOf(added)],
  }
}

/** Those that listen to the end stay for it. */
export const farewell: Farewell = ({ accountId, appId }, subscriptions) => {
  const staying = subscriptions.filter(
    ({ active, events }) => active && events.includes(APPLICATION_EVENT),
  )
  const told = staying.map(({ id }) => id)
  const removed = { accountId, appId, action: 'removed', told } as const
  return { staying: told, events: told.length === 0 ? [] : [applicationEventOf(removed)] }
}

/** An app of its own account, connected. */
export async function connected(
  { apps, installations }: Pick<Store, 'apps' | 'installations'>,
  accountId: string,
  subscriptions?: readonly Partial<Subscription>[],
): Promise<Connection> {
  const app = await apps.create(appOf(accountId))
  const connection = connectionOf({ accountId, app, ...(subscriptions && { subscriptions }) })
  await installations.connect(connection)
  return connection
}
