/**
 * Settings with secrets in them: checked before they are saved, masked when they are read. Secrets go in
 * and never come out again; what has one are subscriptions, menu actions and the templates of apps.
 */
import { pointerTo } from '../domain/pointer.ts'
import { type Complaint, Problem } from '../domain/problem.ts'
import {
  type Auth,
  type DialectName,
  type Endpoint,
  MASK,
  type Subscription,
  type SubscriptionSecrets,
  type TlsSettings,
} from '../domain/subscription.ts'

/** An endpoint that somebody wants to save; a subscription has events, an action has none. */
export type SavedEndpoint = Endpoint &
  Pick<Subscription, 'conditions'> &
  Partial<Pick<Subscription, 'events'>>

/** What only the dialects and the egress guard know about it. */
export interface EndpointRules {
  newSecret(dialect: DialectName): string
  /** What is wrong with it, all at once. What has not changed since it was stored was right then. */
  complaints(endpoint: SavedEndpoint, stored: SubscriptionSecrets | null): readonly Complaint[]
}

export function checkEndpoint(
  endpoint: SavedEndpoint,
  stored: SubscriptionSecrets | null,
  rules: EndpointRules,
): void {
  const complaints = rules.complaints(endpoint, stored)
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
}

/** `***` stands for the stored value of the same kind of auth. */
export function unmaskedAuth(sent: Auth, stored: Auth): Auth {
  if (sent.type === 'bearer' && sent.token === MASK && stored.type === 'bearer') return stored
  if (sent.type === 'basic' && sent.password === MASK && stored.type === 'basic') {
    return { ...sent, password: stored.password }
  }
  if (sent.type === 'custom' && sent.value === MASK && stored.type === 'custom') {
    return { ...sent, value: stored.value }
  }
  return sent
}

export function unmaskedHeaders(
  sent: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [
      name,
      value === MASK && Object.hasOwn(stored, name) ? (stored[name] ?? value) : value,
    ]),
  )
}

/** What is left out stays, null takes it away, and `***` stands for the stored key. */
export function unmaskedTls(
  sent: TlsSettings | null | undefined,
  stored: TlsSettings | undefined,
): TlsSettings | undefined {
  if (sent === undefined) return stored
  if (sent === null) return undefined
  return sent.key === MASK && stored?.key !== undefined ? { ...sent, key: stored.key } : sent
}

/** A mask that stands for nothing would be sent to the receiver as the secret itself. */
export function maskComplaints(
  secrets: SubscriptionSecrets,
  stored: SubscriptionSecrets | null,
): Complaint[] {
  const { auth, headers, tls } = secrets
  const complaints: Complaint[] = []
  const complain = (pointer: string) =>
    complaints.push({ pointer, message: `"${MASK}" stands for a stored value, and there is none.` })
  if (secrets.secret === MASK) complain('/secret')
  if (auth !== stored?.auth) {
    if (auth.type === 'bearer' && auth.token === MASK) complain('/auth/token')
    if (auth.type === 'basic' && auth.password === MASK) complain('/auth/password')
    if (auth.type === 'custom' && auth.value === MASK) complain('/auth/value')
  }
  if (tls?.key === MASK) complain('/tls/key')
  for (const [name, value] of Object.entries(headers)) {
    if (value === MASK) complain(pointerTo('headers', name))
  }
  return complaints
}

export function refuseMasks(
  secrets: SubscriptionSecrets,
  stored: SubscriptionSecrets | null,
): void {
  const complaints = maskComplaints(secrets, stored)
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
}

export function maskedAuth(auth: Auth): Auth {
  switch (auth.type) {
    case 'none':
      return auth
    case 'bearer':
      return { ...auth, token: MASK }
    case 'basic':
      return { ...auth, password: MASK }
    case 'custom':
      return { ...auth, value: MASK }
  }
}

/** Certificates are shown to everybody who connects; only the key is a secret. */
export function maskedTls(tls: TlsSettings | undefined): TlsSettings | undefined {
  return tls?.key === undefined ? tls : { ...tls, key: MASK }
}

export function maskedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(headers).map((name) => [name, MASK]))
}

/** What a patch really says. */
export function withoutUndefined<T extends object>(
  patch: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
