/**
 * Secrets that a suite has sent or was shown, each of which no later answer may hold: whoever needs one again makes a
 * new one. Every suite that speaks to a gateway through `Api` looks after them, so that each route, error and page of
 * the whole run is held against all secrets that went before.
 */

/** Members whose text is a secret, wherever they stand. */
const SECRET_NAMES: ReadonlySet<string> = new Set(['secret', 'password', 'token', 'accessToken'])
/** Members of which each value is one: names are no secret. */
const SECRET_MAPS: ReadonlySet<string> = new Set(['headers'])
/** Shorter ones may stand anywhere by chance. */
const LENGTH_MIN = 12

const known = new Set<string>()

/** Remembers secrets that were sent, or shown this once. */
export function noteSecrets(value: unknown): void {
  for (const secret of secretsIn(value)) known.add(secret)
}

/** Throws when the text holds one that is known, and that is none of those in `shown`. */
export function refuseSecrets(what: string, text: string, shown: unknown = null): void {
  const allowed = new Set(secretsIn(shown))
  for (const secret of known) {
    if (!allowed.has(secret) && text.includes(secret)) {
      throw new Error(`a secret came out of ${what}: ${secret}`)
    }
  }
}

function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => {
    const own = SECRET_NAMES.has(name) || isKey(name, member) ? [member] : []
    const mapped =
      SECRET_MAPS.has(name) && typeof member === 'object' ? Object.values(member ?? {}) : []
    return [...[...own, ...mapped].filter(isLong), ...secretsIn(member)]
  })
}

/** Records have keys too. */
function isKey(name: string, member: unknown): boolean {
  return name === 'key' && typeof member === 'string' && /^(ask_|-----BEGIN)/.test(member)
}

function isLong(value: unknown): value is string {
  return typeof value === 'string' && value.length >= LENGTH_MIN
}
