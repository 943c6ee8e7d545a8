/** When a notification is sent again. One pure function; the presets are facts of DIALECTS.md. */

export type RetryPolicy =
  | { readonly delaysMs: readonly number[] }
  | { readonly preset: RetryPreset }

const seconds = (...list: number[]): readonly number[] => list.map((second) => second * 1_000)

export const RETRY_PRESETS = {
  /** Standard Webhooks' example schedule: ten tries in 75 h 35 min 5 s. */
  standard: {
    delaysMs: seconds(5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400),
    jitter: 0.1,
    heedsReceiver: true,
  },
  /** Poster: 15 more tries in exactly 48 h, whatever the receiver asks for. */
  poster: {
    delaysMs: seconds(
      30,
      60,
      120,
      300,
      600,
      1_200,
      2_400,
      3_600,
      7_200,
      10_800,
      14_400,
      21_600,
      28_800,
      36_000,
      45_690,
    ),
    jitter: 0,
    heedsReceiver: false,
  },
  none: { delaysMs: [], jitter: 0, heedsReceiver: false },
} as const satisfies Record<string, RetrySchedule>

export type RetryPreset = keyof typeof RETRY_PRESETS
export const retryPresetNames = Object.keys(RETRY_PRESETS) as [RetryPreset, ...RetryPreset[]]

type RetrySchedule = {
  readonly delaysMs: readonly number[]
  /** Share of the delay that chance may add; it never takes away. */
  readonly jitter: number
  /** Whether the overload floor and Retry-After count. */
  readonly heedsReceiver: boolean
}

/** Statuses that say "too much": the next try waits at least a minute. */
const OVERLOAD_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504])
export const OVERLOAD_FLOOR_MS = 60_000
/** A receiver may ask for a day of silence at most. */
export const RETRY_AFTER_MAX_MS = 86_400_000

export type FailedAttempt = {
  /** Failed attempts so far, this one included. */
  readonly failures: number
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  /** 0 ≤ random < 1. */
  readonly random: number
}

function scheduleOf(policy: RetryPolicy): RetrySchedule {
  if ('preset' in policy) return RETRY_PRESETS[policy.preset]
  return { delaysMs: policy.delaysMs, jitter: RETRY_PRESETS.standard.jitter, heedsReceiver: true }
}

/** Milliseconds until the next try, or null when there is none left. */
export function nextDelayMs(policy: RetryPolicy, attempt: FailedAttempt): number | null {
  const schedule = scheduleOf(policy)
  const base = schedule.delaysMs[attempt.failures - 1]
  if (base === undefined) return null
  const jittered = base * (1 + schedule.jitter * attempt.random)
  if (!schedule.heedsReceiver) return Math.round(jittered)
  const floor = OVERLOAD_STATUSES.has(attempt.status ?? 0) ? OVERLOAD_FLOOR_MS : 0
  const asked = Math.min(attempt.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)
  return Math.round(Math.max(jittered, floor, asked))
}

const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /

/** Retry-After (RFC 9110 §10.2.3) as milliseconds from now; undefined when it says nothing usable. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^\d{1,30}$/.test(text)) return Number(text) * 1_000
  // Date.parse takes almost anything for a date ("abc 2099"), and asctime's form for local time.
  if (!HTTP_DATE.test(text)) return undefined
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
