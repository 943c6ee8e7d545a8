/** Validators of the other dialects, where the same reply may mean something else. */
import { gzipSync } from 'node:zlib'
import { startRaw } from '../support/hostile-server.ts'
import { hang, startValidator } from '../support/validator-server.ts'
import {
  allowed,
  behaviour,
  denied,
  type Expected,
  failed,
  type Reply,
  replies,
} from './behaviour.ts'

const plain = (name: string, reply: Reply, expected: Expected) =>
  replies(name, reply, expected, { dialect: 'plain' })

const HTML = { 'content-type': 'text/html' }

/** The status alone decides. */
export const PLAIN = [
  plain('answers 200 and OK', { body: 'OK' }, allowed),
  plain('answers 200 and nothing', {}, allowed),
  plain('answers 201', { status: 201, body: { id: 7 } }, allowed),
  plain('answers 204', { status: 204 }, allowed),
  plain('answers 299', { status: 299 }, allowed),
  plain('says no inside a 200', { body: { allowed: false } }, allowed),
  plain('answers a page', { body: '<html></html>', headers: HTML }, allowed),
  plain(
    'compresses its 200',
    { body: gzipSync('OK'), headers: { 'content-encoding': 'gzip' } },
    allowed,
  ),
  plain(
    'refuses in a plain text',
    { status: 403, body: 'The books are closed.' },
    denied('The books are closed.'),
  ),
  plain('refuses with a message', { status: 422, body: { message: 'No.' } }, denied('No.')),
  plain('refuses with an error', { status: 400, body: { error: 'No.' } }, denied('No.')),
  plain('refuses with a detail', { status: 409, body: { detail: 'No.' } }, denied('No.')),
  plain(
    'refuses with errors',
    { status: 422, body: { errors: [{ message: 'No.' }, { message: 'Never.' }] } },
    denied('No.', 'Never.'),
  ),
  plain('refuses without a word', { status: 409 }, denied()),
  plain(
    'refuses with a page',
    { status: 403, body: '<html>Forbidden</html>', headers: HTML },
    denied(),
  ),
  plain('refuses with an allow', { status: 403, body: { decision: 'allow' } }, denied()),
  plain(
    'refuses with a stack trace',
    { status: 400, body: 'at f (x.js:1)\n'.repeat(100) },
    denied(),
  ),
  plain('answers 401', { status: 401 }, failed('bad_status')),
  plain('answers 404', { status: 404, body: { message: 'No such page.' } }, failed('bad_status')),
  plain('answers 410', { status: 410 }, failed('bad_status')),
  plain('answers 500', { status: 500, body: { message: 'A stack trace.' } }, failed('bad_status')),
  plain('redirects', { status: 307, headers: { location: '/' } }, failed('redirected')),
  behaviour('never answers', () => startValidator(hang), failed('timeout'), { dialect: 'plain' }),
]

const bpium = (name: string, reply: Reply, expected: Expected) =>
  replies(name, reply, expected, { dialect: 'bpium' })

/** 2xx, 3xx and 410 succeed; a 4xx refuses; a 5xx could not be asked, and its message is shown. */
export const BPIUM = [
  bpium('answers 200 and nothing', {}, allowed),
  bpium(
    'answers 200 with a message',
    { body: { message: 'Noted.' } },
    { outcome: 'allow', infos: ['Noted.'] },
  ),
  bpium('answers 204', { status: 204 }, allowed),
  bpium('answers a page', { body: '<html></html>', headers: HTML }, allowed),
  bpium('says no inside a 200', { body: { allowed: false } }, allowed),
  bpium('redirects', { status: 302, headers: { location: 'http://169.254.169.254/' } }, allowed),
  bpium('refuses with a message', { status: 403, body: { message: 'Нет.' } }, denied('Нет.')),
  bpium(
    'refuses with a title and a text',
    { status: 400, body: { message: { title: 'Стоп', text: 'Нет.' } } },
    { outcome: 'deny', texts: ['Нет.'], titles: ['Стоп'] },
  ),
  bpium('refuses without a word', { status: 422 }, denied()),
  bpium('answers 401', { status: 401, body: 'who?' }, denied()),
  bpium('answers 404', { status: 404, body: { message: 'Нет такой.' } }, denied('Нет такой.')),
  bpium('answers 429', { status: 429 }, denied()),
  bpium(
    'answers 500 with a message',
    { status: 500, body: { message: 'Упал.' } },
    failed('bad_status', 'Упал.'),
  ),
  bpium('answers 503 and nothing', { status: 503 }, failed('bad_status')),
  behaviour(
    'resets the connection',
    () => startRaw((socket) => void socket.resetAndDestroy()),
    failed('unreachable'),
    { dialect: 'bpium' },
  ),
  behaviour('never answers', () => startValidator(hang), failed('timeout'), { dialect: 'bpium' }),
]
