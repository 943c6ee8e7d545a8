/** What the use cases of accounts and of apps that they connect to need of the store (CONTRACT.md §9). */
import type { NamedEvent } from '../domain/notification.ts'
import type { Subscription } from '../domain/subscription.ts'
import type { SubscriptionDraft } from './manage-subscriptions.ts'
import type { KeyView, Page, Scope } from './store.ts'

export type Account = {
  readonly id: string
  readonly title: string
  /** The name that the account has in the outside world; receivers of the poster dialect read it. */
  readonly accountNumber: string | null
  /** Requests a second, of all its keys and tokens together; null: as many as come. */
  readonly maxPerSecond: number | null
  readonly createdAt: string
}

export interface Accounts {
  /** In order of id. */
  list(page: Page): Promise<readonly Account[]>
  read(id: string): Promise<Account | null>
  /** Throws Problem `already_exists`. */
  create(account: Omit<Account, 'createdAt'>): Promise<Account>
  update(id: string, change: (current: Account) => Account): Promise<Account | null>
}

/** The account whose admins manage the others, and whose apps all may connect to. */
export const OPERATOR_ACCOUNT = 'default'

/** A subscription to be: it becomes one in each account that connects the app. Without a secret it has the app's. */
export type SubscriptionTemplate = Omit<SubscriptionDraft, 'active' | 'secret' | 'tls'> & {
  readonly secret?: string | undefined
}

/** What an app's access token may be good for: nothing whose effect could outlive the installation. */
export const APP_SCOPES = ['approve', 'read'] as const satisfies Scope[]
export type AppScope = (typeof APP_SCOPES)[number]

export const APPS_PER_ACCOUNT_MAX = 100

export type App = {
  /** Whose app it is. */
  readonly accountId: string
  readonly id: string
  readonly name: string
  readonly secret: string
  /** Where a person goes on after connecting it. */
  readonly redirect: string | null
  readonly scopes: readonly AppScope[]
  readonly subscriptions: readonly SubscriptionTemplate[]
  readonly createdAt: string
}

export interface Apps {
  /** The account's own and those of the operator, in order of id; its own where both have an id. */
  list(accountId: string, page: Page): Promise<readonly App[]>
  read(accountId: string, id: string): Promise<App | null>
  /** Throws Problem `already_exists` or `limit_reached`. */
  create(app: Omit<App, 'createdAt'>): Promise<App>
  /** The account's own only. Throws Problem `app_connected`. */
  remove(accountId: string, id: string): Promise<boolean>
}

export type Installation = {
  readonly accountId: string
  readonly id: string
  readonly appAccountId: string
  readonly appId: string
  readonly userId: string
  readonly scopes: readonly AppScope[]
  readonly createdAt: string
}

/** Everything that comes with a connected app, stored at once. */
export type Connection = {
  readonly installation: Omit<Installation, 'createdAt'>
  readonly key: Omit<KeyView, 'createdAt' | 'lastUsedAt' | 'maxPerSecond'>
  readonly keyHash: string
  readonly subscriptions: readonly Subscription[]
  readonly events: readonly NamedEvent[]
}

/** Who hears of the end of an installation is known once it is found. */
export type Farewell = (
  installation: Installation,
  subscriptions: readonly Subscription[],
) => { readonly staying: readonly string[]; readonly events: readonly NamedEvent[] }

export interface Installations {
  list(accountId: string, page: Page): Promise<readonly Installation[]>
  read(accountId: string, id: string): Promise<Installation | null>
  /** Throws Problem `already_exists` (it is connected) or `too_many_subscriptions`. */
  connect(connection: Connection): Promise<Installation>
  /**
   * Ends the installation with its key and its subscriptions; those that `farewell` keeps are told of the
   * end, and of nothing else any more. The ids of all of them; null when there is no such installation.
   */
  disconnect(accountId: string, id: string, farewell: Farewell): Promise<readonly string[] | null>
}
