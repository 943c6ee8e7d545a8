/** What the API answers, as the gateway's own schemas say; nothing of them gets into the bundle. */
import type { z } from 'zod'
import type { activityView } from '../../src/adapters/http/schemas/activity.ts'
import type { approveResponse } from '../../src/adapters/http/schemas/approval.ts'
import type {
  catalog as catalogSchema,
  storedRecord,
} from '../../src/adapters/http/schemas/catalog.ts'
import type {
  decisionView,
  deliveryDetail,
  deliveryView,
} from '../../src/adapters/http/schemas/log.ts'
import type { subscriptionView } from '../../src/adapters/http/schemas/subscription.ts'

export type Activity = z.output<typeof activityView>
export type Subscription = z.output<typeof subscriptionView>
export type Decision = z.output<typeof decisionView>
export type Delivery = z.output<typeof deliveryView>
export type DeliveryDetail = z.output<typeof deliveryDetail>
export type StoredRecord = z.output<typeof storedRecord>
export type Catalog = z.output<typeof catalogSchema>
export type ApproveResponse = z.output<typeof approveResponse>
export type Who = {
  readonly accountId: string
  readonly keyId: string
  readonly scopes: readonly string[]
  readonly version: string
}
