/** Validators of the standard dialect that answer as agreed: allow, deny, confirm. */
import { ALLOW_TEXT, allowed, denied, type Expected, failed, replies } from './behaviour.ts'

const KIB = 1024
/** As long as wanted, and an allow as a whole. */
const padded = (bytes: number): string => ALLOW_TEXT.padEnd(bytes, ' ')
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

export const ALLOWING = [
  replies('says allow', { body: { decision: 'allow' } }, allowed),
  replies('answers 204', { status: 204 }, allowed),
  replies(
    'says allow as text/html',
    { body: ALLOW_TEXT, headers: { 'content-type': 'text/html' } },
    allowed,
  ),
  replies('says allow and lists no errors', { body: { decision: 'allow', errors: [] } }, allowed),
  replies(
    'says allow beside things that nobody knows',
    { body: { decision: 'allow', score: 7, allowed: false, data: { decision: 'deny' } } },
    allowed,
  ),
  replies(
    'says allow with a message',
    { body: { decision: 'allow', message: 'Mind the step.' } },
    { outcome: 'allow', infos: ['Mind the step.'] },
  ),
  replies(
    'says allow with a warning',
    { body: { decision: 'allow', warnings: [{ message: 'Rather high.' }] } },
    { outcome: 'allow', warnings: ['Rather high.'] },
  ),
  replies('says allow in exactly 256 KiB', { body: padded(256 * KIB) }, allowed),
  replies('says allow 64 levels deep', { body: `{"decision":"allow","x":${nested(63)}}` }, allowed),
  replies(
    'asks to confirm',
    { body: { decision: 'confirm', warnings: [{ message: 'Really?' }] } },
    { outcome: 'confirm', texts: ['Really?'] },
  ),
]

const says = (name: string, body: unknown, expected: Expected) => replies(name, { body }, expected)

const SCRIPT = '<img src=x onerror=alert(1)><script>alert(1)</script>'

export const DENYING = [
  says('says deny', { decision: 'deny', errors: [{ message: 'Too dear.' }] }, denied('Too dear.')),
  says('says deny without a word', { decision: 'deny' }, denied()),
  says('says deny with an empty text', { decision: 'deny', errors: [{ message: '' }] }, denied()),
  says('says deny with a bare message', { decision: 'deny', message: 'No.' }, denied('No.')),
  says(
    'says deny for two fields',
    {
      decision: 'deny',
      errors: [
        { field: 'title', code: 'short', message: 'Too short.' },
        { field: 'price', message: { title: 'Price', text: 'Too high.' } },
      ],
    },
    {
      outcome: 'deny',
      texts: ['Too short.', 'Too high.'],
      fields: ['title', 'price'],
      titles: ['', 'Price'],
    },
  ),
  says(
    'says deny in three languages',
    { decision: 'deny', errors: [{ message: { en: 'No.', ru: 'Нет.', uk: 'Ні.' } }] },
    denied('No.'),
  ),
  says('says deny in markup', { decision: 'deny', message: SCRIPT }, denied(SCRIPT)),
  says(
    'says deny in a text that turns its direction',
    { decision: 'deny', message: 'Pay \u202e001\u202c\u2066 now\u200f' },
    denied('Pay 001 now'),
  ),
  says(
    'says deny with control characters',
    { decision: 'deny', message: 'No\u0007 \u001b[31mway\u009f' },
    denied('No [31mway'),
  ),
  says(
    'says deny in a text of 200 KB',
    { decision: 'deny', message: 'x'.repeat(200_000) },
    denied(`${'x'.repeat(999)}…`),
  ),
]

const REFUSING_STATUSES = [400, 403, 409, 422]

const REASONS = [
  ['a message', { message: 'No.' }, denied('No.')],
  ['an error', { error: 'No.' }, denied('No.')],
  [
    'errors',
    { errors: [{ field: 'title', message: 'No.' }, { message: 'Never.' }] },
    { outcome: 'deny', texts: ['No.', 'Never.'], fields: ['title', ''] },
  ],
  ['a detail', { title: 'Refused', detail: 'No.' }, denied('No.')],
  ['an empty body', '', denied()],
] as const satisfies readonly (readonly [string, unknown, Expected])[]

export const REFUSING = [
  ...REFUSING_STATUSES.flatMap((status) =>
    REASONS.map(([what, body, expected]) =>
      replies(`answers ${status} with ${what}`, { status, body }, expected),
    ),
  ),
  // Somebody else is speaking: the refusal is not about the change.
  replies(
    "answers 403 with a proxy's page",
    { status: 403, body: '<html>Forbidden</html>', headers: { 'content-type': 'text/html' } },
    failed('bad_status'),
  ),
  replies(
    'answers 422 about something else',
    { status: 422, body: { ok: 0 } },
    failed('bad_status'),
  ),
  replies(
    'answers 400 with half of its JSON',
    { status: 400, body: '{"message":"No' },
    failed('bad_status'),
  ),
  replies('answers 409 with null', { status: 409, body: 'null' }, failed('bad_status')),
]

const REASON = { message: 'A stack trace that nobody should see.' }
const DENY = { decision: 'deny', errors: [REASON] }
const at = (location: string) => ({ headers: { location } })

export const OTHER_STATUSES = [
  replies(
    'answers 201 with an allow',
    { status: 201, body: { decision: 'allow' } },
    failed('bad_status'),
  ),
  replies('answers 401', { status: 401, body: REASON }, failed('bad_status')),
  replies('answers 404', { status: 404, body: REASON }, failed('bad_status')),
  replies('answers 410', { status: 410, body: REASON }, failed('bad_status')),
  replies('answers 418', { status: 418, body: REASON }, failed('bad_status')),
  replies(
    'answers 429 and wants to be left alone for thirty years',
    { status: 429, body: REASON, headers: { 'retry-after': '1000000000' } },
    failed('bad_status'),
  ),
  replies('answers 500', { status: 500, body: DENY }, failed('bad_status')),
  replies(
    'answers 500 with an allow',
    { status: 500, body: { decision: 'allow' } },
    failed('bad_status'),
  ),
  replies(
    'answers 503 with Retry-After',
    { status: 503, body: REASON, headers: { 'retry-after': '1' } },
    failed('bad_status'),
  ),
  replies('redirects with 300', { status: 300, ...at('/elsewhere') }, failed('redirected')),
  replies(
    'redirects to a dead address',
    { status: 302, ...at('http://127.0.0.1:1/') },
    failed('redirected'),
  ),
  replies(
    'redirects to the metadata of the machine',
    { status: 302, ...at('http://169.254.169.254/latest/meta-data/') },
    failed('redirected'),
  ),
]
