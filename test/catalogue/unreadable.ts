/** Validators of the standard dialect whose 200 says nothing that counts. */
import { gzipSync } from 'node:zlib'
import { ALLOW_TEXT, failed, type Reply, replies } from './behaviour.ts'

const unreadable = (name: string, body: unknown, headers?: Reply['headers']) =>
  replies(name, headers === undefined ? { body } : { body, headers }, failed('bad_reply'))

const JSON_TYPE = { 'content-type': 'application/json' }
const broken = (name: string, body: string | Uint8Array) => unreadable(name, body, JSON_TYPE)

const SHAPES = [
  broken('answers an empty 200', ''),
  unreadable('answers {}', {}),
  broken('answers null', 'null'),
  broken('answers true', 'true'),
  broken('answers a list', '[1,2,3]'),
  unreadable('answers an allow in a list', [{ decision: 'allow' }]),
  broken('answers a number', '42'),
  broken('answers a string', '"allow"'),
  unreadable('says no inside a 200 in words of its own', { allowed: false }),
  unreadable('says yes in words of its own', { allowed: true }),
  unreadable('says allow:"true"', { allow: 'true' }),
  unreadable('says allow:1', { allow: 1 }),
  unreadable('misspells the decision', { decision: 'alow' }),
  unreadable('shouts the decision', { decision: 'ALLOW' }),
  unreadable('misspells the key', { descision: 'allow' }),
  unreadable('gives the decision as true', { decision: true }),
  unreadable('wraps its allow', { data: { decision: 'allow' } }),
  unreadable('says allow and lists errors', { decision: 'allow', errors: [{ message: 'No.' }] }),
  unreadable('says allow beside an error', { decision: 'allow', error: 'No.' }),
  unreadable('says deny with errors of no known shape', { decision: 'deny', errors: 'No.' }),
]

const JSON_FAULTS = [
  broken('answers an HTML page', '<!doctype html><title>Please log in</title>'),
  broken('answers a text', 'OK'),
  broken('answers JSON that is none', "{decision: 'allow'}"),
  broken('answers half of its JSON', '{"decision":"allow"'),
  broken('answers two JSON values', `${ALLOW_TEXT}\n${ALLOW_TEXT}`),
  broken('begins with a byte order mark', `\ufeff${ALLOW_TEXT}`),
  broken('answers in UTF-16', Buffer.from(ALLOW_TEXT, 'utf16le')),
  broken('is not UTF-8', Buffer.from('{"decision":"allow","x":"\xff\xfe"}', 'latin1')),
  broken('nests 65 deep', `{"decision":"allow","x":${'['.repeat(64)}${']'.repeat(64)}}`),
  broken(
    'nests 10,000 deep',
    `{"decision":"allow","x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
  ),
  broken('sends a NUL', '{"decision":"allow","message":"a\\u0000b"}'),
  broken('sends half of a surrogate pair', '{"decision":"allow","message":"\\ud83d"}'),
  broken('sends __proto__', '{"decision":"allow","__proto__":{"admin":true}}'),
  broken('sends its decision in __proto__', '{"__proto__":{"decision":"allow"}}'),
  broken('sends a constructor', '{"decision":"allow","constructor":{"prototype":{}}}'),
  broken('sends 1e400', '{"decision":"allow","score":1e400}'),
  broken('sends NaN', '{"decision":"allow","score":NaN}'),
  broken('says deny and allow under one key', '{"decision":"deny","decision":"allow"}'),
]

const CODINGS = [
  unreadable('compresses with gzip', gzipSync(ALLOW_TEXT), { 'content-encoding': 'gzip' }),
  unreadable('compresses with gzip in secret', gzipSync(ALLOW_TEXT)),
  unreadable('names a coding that it does not use', ALLOW_TEXT, { 'content-encoding': 'br' }),
  replies(
    'compresses its 204',
    { status: 204, headers: { 'content-encoding': 'gzip' } },
    failed('bad_reply'),
  ),
]

export const UNREADABLE = [...SHAPES, ...JSON_FAULTS, ...CODINGS]
