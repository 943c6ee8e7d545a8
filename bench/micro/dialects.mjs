/** The wire: a question is encoded and signed, an answer read. */
import { DIALECTS } from '../../dist/dialects/index.js'
import { sampleChange } from './matching.mjs'

const EVENT = 'record.before.created'
const OCCURRED_AT_MS = Date.parse('2026-01-01T00:00:00.000Z')

const SECRETS = {
  standard: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  plain: `whsec_${Buffer.alloc(32, 9).toString('base64')}`,
  bpium: 'a secret of a hook',
  poster: 'a secret of an application',
}

/** The question about the sample's change. */
function sampleMessage() {
  return {
    ...sampleChange(),
    id: 'msg_01a200e549d6767b8328d19cf527847e',
    decisionId: 'dec_01a200e549d6767b8328d19cf527847e',
    occurredAtMs: OCCURRED_AT_MS,
    accountNumber: null,
    sequenceId: 7,
    subscriptionId: 'sub_01a200e549ae749ba75590ce610d97dc',
    dryRun: false,
    deadlineAtMs: OCCURRED_AT_MS + 10_000,
  }
}

const replyOf = (status, text) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(text),
})

const REPLIES = {
  standard: {
    allow: replyOf(200, '{"decision":"allow"}'),
    deny: replyOf(
      200,
      '{"decision":"deny","errors":[{"field":"amount","message":"At most 100."}]}',
    ),
  },
  plain: { allow: replyOf(200, '{}'), deny: replyOf(409, '{"message":"At most 100 at a time."}') },
  bpium: { allow: replyOf(200, '{}'), deny: replyOf(400, '{"message":"At most 100 at a time."}') },
  // It is only told, never asked.
  poster: {},
}

function candidatesOf(name) {
  const dialect = DIALECTS[name]
  const message = sampleMessage()
  const signing = { id: message.id, attemptAtMs: OCCURRED_AT_MS, secrets: [SECRETS[name]] }
  const body = dialect.encode(message, signing)
  const replies = Object.entries(REPLIES[name]).map(([kind, reply]) => {
    const read = dialect.readAnswer(EVENT, reply).kind
    if (read !== kind) throw new Error(`${name}: the sample's ${kind} is read as ${read}`)
    return { name: `read ${kind}`, run: () => dialect.readAnswer(EVENT, reply) }
  })
  return [
    { name: 'encode', run: () => dialect.encode(message, signing) },
    { name: `sign ${body.length} bytes`, run: () => dialect.sign(body, signing) },
    ...replies,
  ].map((one) => ({ group: `dialect ${name}`, ...one }))
}

export const dialectCandidates = () => Object.keys(DIALECTS).flatMap(candidatesOf)
