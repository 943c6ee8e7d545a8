/** Validators that break HTTP, the connection, or time itself. All would allow if they were believed. */
import { setTimeout } from 'node:timers/promises'
import {
  pour,
  startNeverAccepting,
  startRaw,
  startTls,
  trickle,
  whenAsked,
} from '../support/hostile-server.ts'
import { hang, startValidator } from '../support/validator-server.ts'
import {
  EXPIRED_CERTIFICATE,
  GOOD_CERTIFICATE,
  SERVER_KEY,
} from '../unit/adapters/outbound/certificates.ts'
import {
  ALLOW_TEXT,
  allowed,
  behaviour,
  DENY_TEXT,
  denied,
  failed,
  statusOf,
  type ValidatorBehaviour,
  wired,
  writes,
} from './behaviour.ts'

const ALLOW = wired(ALLOW_TEXT)
const LAST_ALLOW = wired(ALLOW_TEXT, 'connection: close\r\ncontent-length: 20\r\n')
const DENY = wired(DENY_TEXT)
const CHUNKED = 'transfer-encoding: chunked\r\n'
const MIB = 1024 * 1024
const at = (url: string) => async () => ({ url, close: async () => {} })

/** What it redirects to would allow: whoever follows is fooled. */
const redirecting = (status: number): ValidatorBehaviour => {
  const start = () =>
    startValidator((request, response) => {
      if (request.path === '/elsewhere') return void response.end(ALLOW_TEXT)
      response.writeHead(status, { location: '/elsewhere' }).end(ALLOW_TEXT)
    })
  return behaviour(`redirects with ${status} to a live address`, start, failed('redirected'), {
    status,
  })
}

const REDIRECTS = [301, 302, 303, 307, 308].map(redirecting)

const FRAMING = [
  writes('speaks HTTP/1.0 and hangs up', `HTTP/1.0 200 OK\r\n\r\n${ALLOW_TEXT}`, 'end', allowed),
  writes(
    'gives hints before it answers',
    `HTTP/1.1 103 Early Hints\r\n\r\n${ALLOW}`,
    'stay',
    allowed,
  ),
  writes(
    'answers in many chunks',
    wired(`${ALLOW_TEXT.replace(/./g, '1\r\n$&\r\n')}0\r\n\r\n`, CHUNKED),
    'stay',
    allowed,
  ),
  {
    ...writes(
      'states a length that is too short',
      wired(ALLOW_TEXT, 'content-length: 12\r\n'),
      'stay',
      failed('bad_reply'),
    ),
    // A whole reply by its own account, whose body is half an allow.
    status: 200,
  },
  writes(
    'states a length that is too long and hangs up',
    wired(ALLOW_TEXT, 'content-length: 100\r\n'),
    'end',
    failed('unreachable'),
  ),
  writes(
    'states a length that is too long and stays',
    wired(ALLOW_TEXT, 'content-length: 100\r\n'),
    'stay',
    failed('timeout'),
  ),
  writes(
    'states a length of 1 GB',
    wired(ALLOW_TEXT, 'content-length: 1000000000\r\n'),
    'stay',
    failed('reply_too_large'),
  ),
  writes(
    'states a length that is no number',
    wired(ALLOW_TEXT, 'content-length: two\r\n'),
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'sends chunks that are none',
    wired(`zz\r\n${ALLOW_TEXT}\r\n0\r\n\r\n`, CHUNKED),
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'hangs up amid its chunks',
    wired(`14\r\n${ALLOW_TEXT}\r\n`, CHUNKED),
    'end',
    failed('unreachable'),
  ),
  writes('answers twice: deny, then allow', DENY + ALLOW, 'stay', denied('Not today.')),
  behaviour(
    'leaves an allow on the connection after its deny',
    () =>
      startRaw(
        whenAsked((socket) => {
          socket.write(DENY)
          // Later, when the connection lies idle and waits for the next question.
          void setTimeout(20).then(() => socket.write(ALLOW))
        }),
      ),
    denied('Not today.'),
    { status: 200 },
  ),
  behaviour(
    'answers at the first byte and reads no further',
    () => startRaw((socket) => void socket.once('data', () => socket.pause().write(LAST_ALLOW))),
    allowed,
    statusOf(allowed),
  ),
]

const NOT_HTTP = [
  writes('speaks HTTP/0.9', ALLOW_TEXT, 'end', failed('bad_reply')),
  writes('announces HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'stay', failed('bad_reply')),
  writes('speaks SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'stay', failed('bad_reply')),
  writes(
    'has a status that is no number',
    `HTTP/1.1 2x0 OK\r\n\r\n${ALLOW_TEXT}`,
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'has a header with a NUL',
    wired(ALLOW_TEXT, 'x: a\u0000b\r\ncontent-length: 20\r\n'),
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'has a header with a control character',
    wired(ALLOW_TEXT, 'x: a\u0001b\r\ncontent-length: 20\r\n'),
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'has a line without a colon among its headers',
    wired(ALLOW_TEXT, 'nonsense\r\ncontent-length: 20\r\n'),
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'has a header of 20 KB',
    wired(ALLOW_TEXT, `x: ${'x'.repeat(20_000)}\r\ncontent-length: 20\r\n`),
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'has 10,000 headers',
    wired(ALLOW_TEXT, `${'x: y\r\n'.repeat(10_000)}content-length: 20\r\n`),
    'stay',
    failed('bad_reply'),
  ),
  // RFC 9110 §15.2: interim replies that nobody waits for are passed over.
  writes(
    'says "go on" although nobody waits for it',
    `HTTP/1.1 100 Continue\r\n\r\n${ALLOW}`,
    'stay',
    allowed,
  ),
  writes(
    'floods with 1xx',
    'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100) + ALLOW,
    'stay',
    failed('bad_reply'),
  ),
  writes(
    'wants another protocol',
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n${ALLOW_TEXT}`,
    'stay',
    failed('bad_reply'),
  ),
]

const flood = (bytesMax: number) =>
  whenAsked((socket) => {
    socket.write(wired(ALLOW_TEXT, 'connection: close\r\n'))
    pour(socket, Buffer.alloc(64 * 1024, ' '), bytesMax)
  })

const TOO_MUCH = [
  behaviour('answers 300 MB', () => startRaw(flood(300 * MIB)), failed('reply_too_large')),
  writes(
    'answers one byte more than 256 KiB',
    wired(ALLOW_TEXT.padEnd(256 * 1024 + 1, ' '), 'connection: close\r\n'),
    'end',
    failed('reply_too_large'),
  ),
  writes(
    'refuses in a text of 5 MB',
    `HTTP/1.1 422 No\r\nconnection: close\r\n\r\n{"message":"${'x'.repeat(5_000_000)}"}`,
    'end',
    failed('reply_too_large'),
  ),
]

const CONNECTION = [
  behaviour('refuses the connection', at('http://127.0.0.1:1'), failed('unreachable')),
  behaviour(
    'hangs up at once',
    () => startRaw((socket) => void socket.end()),
    failed('unreachable'),
  ),
  writes('hangs up without an answer', '', 'end', failed('unreachable')),
  writes('resets the connection', '', 'reset', failed('unreachable')),
  writes(
    'hangs up within its headers',
    'HTTP/1.1 200 OK\r\ncontent-',
    'end',
    failed('unreachable'),
  ),
  writes(
    'resets the connection within its body',
    wired(ALLOW_TEXT, 'content-length: 100\r\n'),
    'reset',
    failed('unreachable'),
  ),
  behaviour(
    'is the gateway itself',
    ({ gatewayUrl }) => at(`${gatewayUrl}/healthz`)(),
    failed('egress_blocked'),
  ),
]

const CERTIFICATES = [
  ['has a certificate that nobody vouches for', GOOD_CERTIFICATE],
  ['has an expired certificate', EXPIRED_CERTIFICATE],
] as const

const withoutTls =
  (start: () => Promise<{ url: string; close: () => Promise<void> }>) => async () => {
    const { url, close } = await start()
    return { url: url.replace('http:', 'https:'), close }
  }

const TLS = [
  ...CERTIFICATES.map(([name, certificate]) =>
    behaviour(
      name,
      () =>
        startTls(
          certificate,
          SERVER_KEY,
          whenAsked((socket) => void socket.write(ALLOW)),
        ),
      failed('tls'),
    ),
  ),
  behaviour(
    'speaks plain HTTP where TLS is wanted',
    withoutTls(() => startRaw((socket) => void socket.once('data', () => socket.end(ALLOW)))),
    failed('tls'),
  ),
  behaviour(
    'never answers the handshake',
    withoutTls(() => startRaw((socket) => void socket.resume())),
    failed('timeout'),
  ),
]

const trickling = (before: string, bytes: string) => () =>
  startRaw(
    whenAsked((socket) => {
      socket.write(before)
      void trickle(socket, bytes, 50)
    }),
  )

const SILENT = [
  behaviour('never accepts', startNeverAccepting, failed('timeout')),
  behaviour('never reads', () => startRaw((socket) => void socket.pause()), failed('timeout')),
  behaviour('never answers', () => startValidator(hang), failed('timeout')),
  writes(
    'falls silent after its headers',
    wired('', 'content-length: 20\r\n'),
    'stay',
    failed('timeout'),
  ),
  writes(
    'falls silent within its body',
    wired(ALLOW_TEXT.slice(0, -1), 'content-length: 20\r\n'),
    'stay',
    failed('timeout'),
  ),
  behaviour(
    'sends one byte every 50 ms',
    trickling(wired('', 'content-length: 1000\r\n'), ' '),
    failed('timeout'),
  ),
  behaviour(
    'sends one header every 50 ms',
    trickling('HTTP/1.1 200 OK\r\n', 'x: y\r\n'),
    failed('timeout'),
  ),
]

export const ON_THE_WIRE = [
  ...REDIRECTS,
  ...FRAMING,
  ...NOT_HTTP,
  ...TOO_MUCH,
  ...CONNECTION,
  ...TLS,
  ...SILENT,
]
