// A receiver of notifications: it checks the Standard Webhooks signature with node:crypto and prints what
// it was told. The same check guards a validator of the dialects `standard` and `plain`.
//
//   WEBHOOK_SECRET=whsec_... node examples/receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

const { WEBHOOK_SECRET: secret, PORT: port = 9003 } = process.env
if (!secret?.startsWith('whsec_')) {
  console.error('Set WEBHOOK_SECRET to the secret of the subscription (whsec_...).')
  process.exit(1)
}

const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
/** What is older may be somebody who sends a recorded request again. */
const TOLERANCE_S = 300

function isSigned(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_S)) return false
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  // While a secret is being rotated there is one signature for each secret.
  return (headers['webhook-signature'] ?? '').split(' ').some((one) => {
    const given = Buffer.from(one.replace(/^v1,/, ''), 'base64')
    return one.startsWith('v1,') && given.length === 32 && timingSafeEqual(given, expected)
  })
}

// A notification may come twice, with the same id. A real receiver keeps the ids beside what it does.
const seen = new Set()

function take(id, { type, data }) {
  if (seen.has(id)) return console.log(`again ${type} ${data.recordId}`)
  seen.add(id)
  console.log(
    `verified ${type} ${data.recordId} #${data.sequenceId} ${JSON.stringify(data.values)}`,
  )
}

/** 2xx means that it was taken; anything else, and the gateway tries again later. */
async function respond(request) {
  const body = await buffer(request)
  if (!isSigned(request.headers, body)) {
    console.log('refused: the signature is wrong or too old')
    return 401
  }
  take(request.headers['webhook-id'], JSON.parse(body))
  return 204
}

const server = createServer((request, response) => {
  respond(request).then(
    (status) => response.writeHead(status).end(),
    () => response.writeHead(500).end(),
  )
})

server.listen(port, '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
