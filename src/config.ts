/** The environment becomes one frozen configuration; everything that is wrong with it is said at once. */
import { z } from 'zod'

export type Config = {
  readonly port: number
  readonly host: string
  readonly database:
    | { readonly kind: 'embedded'; readonly dataDir: string }
    | { readonly kind: 'server'; readonly url: string }
  readonly adminKey: string | null
  /** Empty: made and kept in the data folder. */
  readonly masterKeys: readonly Uint8Array[]
  readonly egressAllow: string
  readonly egressHttp: 'allow' | 'listed'
  /** Calls go out through it. */
  readonly egressProxy: { readonly host: string; readonly port: number } | null
  /** Accept JSON Web Tokens of this issuer beside keys. */
  readonly jwt: JwtConfig | null
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Processes that share the port. */
  readonly workers: number
  readonly deliveries: DeliveryConfig
  /** After so many days decisions lose what they were about; null: never. */
  readonly payloadsKeptDays: number | null
}

export type DeliveryConfig = {
  /** A subscription without a success for so long is disabled; null: none is. */
  readonly autoDisableAfterMs: number | null
  /** How long the log of attempts goes back. */
  readonly attemptsKeptDays: number
}

export type JwtConfig = {
  readonly issuer: string
  readonly audience: string
  readonly jwksUrl: string
  readonly accountClaim: string
  readonly scopeClaim: string
}

/** A setting that cannot be used, by its name. */
export type SettingFault = { readonly name: string; readonly message: string }

/** Exit code for a configuration error (sysexits.h, EX_CONFIG). */
export const EXIT_CONFIG = 78

export class FaultySettings extends Error {
  readonly faults: readonly SettingFault[]

  constructor(faults: readonly SettingFault[]) {
    super(faults.map(({ name, message }) => `${name}: ${message}`).join('\n'))
    this.name = 'FaultySettings'
    this.faults = faults
  }
}

/** Loopback only: what runs on this machine may be asked, nothing else that is private. */
const EMBEDDED_EGRESS = '127.0.0.0/8,::1/128'

const MASTER_KEY_BYTES = 32

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a number from 0 to 65535')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be a number from 0 to 65535')

const databaseUrl = z.string().refine((text) => {
  if (!URL.canParse(text)) return false
  return ['postgres:', 'postgresql:'].includes(new URL(text).protocol)
}, 'must be a URL that begins with postgres://')

const adminKey = z
  .string()
  .regex(/^[\x21-\x7e]{24,4096}$/, 'must have 24 or more visible ASCII characters and no spaces')

const masterKeys = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine(
    (parts) => parts.every(isMasterKey),
    `must be ${MASTER_KEY_BYTES} bytes in base64, or a comma list of such keys`,
  )
  .transform((parts) => parts.map((part) => new Uint8Array(Buffer.from(part, 'base64'))))

function isMasterKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64')
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  return isBase64 && bytes.length === MASTER_KEY_BYTES
}

/** No user name and password: it is trusted because of where it stands. */
const egressProxy = z
  .string()
  .refine(isProxyUrl, 'must be http://host:port')
  .transform((text) => {
    const { hostname, port: number } = new URL(text)
    return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(number || 80) }
  })

function isProxyUrl(text: string): boolean {
  return (
    /^http:\/\/[^/?#@\\\s]+\/?$/i.test(text) && URL.canParse(text) && new URL(text).port !== '0'
  )
}

const WORKERS_MAX = 64
const WORKERS_TEXT = `must be a number from 1 to ${WORKERS_MAX}`

const AUTO_DISABLE_MS = { default: 5 * 86_400_000, max: 365 * 86_400_000 } as const
const AUTO_DISABLE_TEXT = `must be a number of milliseconds up to ${AUTO_DISABLE_MS.max}, 0 for never`
const KEPT_DAYS = { default: 30, max: 3_650 } as const
const PAYLOADS_TEXT = `must be a number of days from 0 (they are kept) to ${KEPT_DAYS.max}`
const KEPT_TEXT = `must be a number of days from 1 to ${KEPT_DAYS.max}`

const environment = z.object({
  PORT: port.default(8787),
  HOST: z
    .string()
    .regex(/^[\w.:%-]{1,253}$/, 'must be an address or a host name')
    .default('127.0.0.1'),
  DATABASE_URL: databaseUrl.optional(),
  ASSENT_DATA_DIR: z.string().min(1).default('./data'),
  ASSENT_ADMIN_KEY: adminKey.optional(),
  ASSENT_MASTER_KEY: masterKeys.optional(),
  ASSENT_EGRESS_ALLOW: z.string().optional(),
  ASSENT_EGRESS_HTTP: z.enum(['allow', 'listed'], "must be 'allow' or 'listed'").optional(),
  ASSENT_EGRESS_PROXY: egressProxy.optional(),
  ASSENT_JWT_ISSUER: z.string().max(1_000).optional(),
  ASSENT_JWT_AUDIENCE: z.string().max(1_000).optional(),
  ASSENT_JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  ASSENT_JWT_ACCOUNT_CLAIM: z.string().max(200).default('account'),
  ASSENT_JWT_SCOPE_CLAIM: z.string().max(200).default('scope'),
  ASSENT_WORKERS: z
    .string()
    .regex(/^\d{1,2}$/, WORKERS_TEXT)
    .transform(Number)
    .refine((value) => value >= 1 && value <= WORKERS_MAX, WORKERS_TEXT)
    .default(1),
  ASSENT_AUTO_DISABLE_AFTER_MS: z
    .string()
    .regex(/^\d{1,12}$/, AUTO_DISABLE_TEXT)
    .transform(Number)
    .refine((value) => value <= AUTO_DISABLE_MS.max, AUTO_DISABLE_TEXT)
    .default(AUTO_DISABLE_MS.default),
  ASSENT_ATTEMPTS_KEPT_DAYS: z
    .string()
    .regex(/^\d{1,4}$/, KEPT_TEXT)
    .transform(Number)
    .refine((value) => value >= 1 && value <= KEPT_DAYS.max, KEPT_TEXT)
    .default(KEPT_DAYS.default),
  ASSENT_DECISION_PAYLOADS_KEPT_DAYS: z
    .string()
    .regex(/^\d{1,4}$/, PAYLOADS_TEXT)
    .transform(Number)
    .refine((value) => value <= KEPT_DAYS.max, PAYLOADS_TEXT)
    .default(0),
  ASSENT_LOG_LEVEL: z
    .enum(
      ['debug', 'info', 'warn', 'error', 'silent'],
      'must be debug, info, warn, error or silent',
    )
    .default('info'),
})

/** All three or none. */
const JWT_SETTINGS = ['ASSENT_JWT_ISSUER', 'ASSENT_JWT_AUDIENCE', 'ASSENT_JWKS_URL'] as const

/** Checks what only another part of the gateway understands: faults of ASSENT_EGRESS_ALLOW. */
export type EgressCheck = (list: string) => readonly string[]

/** Throws FaultySettings with every fault. An empty variable counts as one that is not set. */
export function readConfig(
  variables: Readonly<Record<string, string | undefined>>,
  egressFaults: EgressCheck,
): Config {
  const set = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''))
  const result = environment.safeParse(set)
  const faults: SettingFault[] = (result.error?.issues ?? []).map(({ path, message }) => ({
    name: String(path[0]),
    message,
  }))
  const onServer = set['DATABASE_URL'] !== undefined
  if (onServer && set['ASSENT_MASTER_KEY'] === undefined) {
    const message = 'is required with DATABASE_URL (make one: openssl rand -base64 32)'
    faults.push({ name: 'ASSENT_MASTER_KEY', message })
  }
  if (!onServer && (result.data?.ASSENT_WORKERS ?? 1) > 1) {
    const message = 'needs DATABASE_URL: the embedded database belongs to one process'
    faults.push({ name: 'ASSENT_WORKERS', message })
  }
  const jwtMissing = JWT_SETTINGS.filter((name) => set[name] === undefined)
  if (jwtMissing.length < JWT_SETTINGS.length) {
    const message = `is required with ${JWT_SETTINGS.filter((name) => !jwtMissing.includes(name)).join(' and ')}`
    faults.push(...jwtMissing.map((name) => ({ name, message })))
  }
  for (const message of egressFaults(set['ASSENT_EGRESS_ALLOW'] ?? '')) {
    faults.push({ name: 'ASSENT_EGRESS_ALLOW', message })
  }
  if (!result.success || faults.length > 0) throw new FaultySettings(faults)
  return Object.freeze(configOf(result.data))
}

function configOf(settings: z.output<typeof environment>): Config {
  const { DATABASE_URL: url } = settings
  return {
    port: settings.PORT,
    host: settings.HOST,
    database:
      url === undefined
        ? { kind: 'embedded', dataDir: settings.ASSENT_DATA_DIR }
        : { kind: 'server', url },
    adminKey: settings.ASSENT_ADMIN_KEY ?? null,
    masterKeys: settings.ASSENT_MASTER_KEY ?? [],
    egressAllow: settings.ASSENT_EGRESS_ALLOW ?? (url === undefined ? EMBEDDED_EGRESS : ''),
    // Plain http to the whole world is for a machine of one's own; a server has to ask for it.
    egressHttp: settings.ASSENT_EGRESS_HTTP ?? (url === undefined ? 'allow' : 'listed'),
    egressProxy: settings.ASSENT_EGRESS_PROXY ?? null,
    jwt: jwtOf(settings),
    logLevel: settings.ASSENT_LOG_LEVEL,
    workers: settings.ASSENT_WORKERS,
    deliveries: {
      autoDisableAfterMs: settings.ASSENT_AUTO_DISABLE_AFTER_MS || null,
      attemptsKeptDays: settings.ASSENT_ATTEMPTS_KEPT_DAYS,
    },
    payloadsKeptDays: settings.ASSENT_DECISION_PAYLOADS_KEPT_DAYS || null,
  }
}

function jwtOf(settings: z.output<typeof environment>): JwtConfig | null {
  const {
    ASSENT_JWT_ISSUER: issuer,
    ASSENT_JWT_AUDIENCE: audience,
    ASSENT_JWKS_URL: jwksUrl,
    ASSENT_JWT_ACCOUNT_CLAIM: accountClaim,
    ASSENT_JWT_SCOPE_CLAIM: scopeClaim,
  } = settings
  if (issuer === undefined || audience === undefined || jwksUrl === undefined) return null
  return { issuer, audience, jwksUrl, accountClaim, scopeClaim }
}
