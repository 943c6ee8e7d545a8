// A validator that was written for Bpium's webhooks: the status decides, and the reply may bring a message.
// It wants every order to name a customer, and it proposes a way of delivery while the form is filled in.
//
//   WEBHOOK_SECRET=a-secret-of-yours node examples/bpium-validator.mjs
//
// Subscribe it with the dialect `bpium` and the same secret.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'

const { WEBHOOK_SECRET: secret, PORT: port = 9002 } = process.env
if (!secret) {
  console.error('Set WEBHOOK_SECRET to the secret of the subscription.')
  process.exit(1)
}

/** X-Hook-Signature is the base64 of HMAC-MD5 over the body as it was sent, byte for byte. */
function isSigned(body, signature = '') {
  const expected = createHmac('md5', secret).update(body).digest()
  const given = Buffer.from(signature, 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function answer({ hook, payload }) {
  if (hook.event === 'record.updating') return [200, { values: { delivery: 'post' } }]
  const isCreated = hook.event === 'record.before.created'
  if (!isCreated || payload.values.customer) return [200, {}]
  const text = 'Every order belongs to a customer.'
  return [400, { message: { title: 'Who is it for?', text } }]
}

async function respond(request) {
  const body = await buffer(request)
  if (!isSigned(body, request.headers['x-hook-signature'])) return [401, {}]
  return answer(JSON.parse(body))
}

const server = createServer((request, response) => {
  respond(request).then(
    ([status, reply]) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(reply)),
    () => response.writeHead(500).end(),
  )
})

server.listen(port, '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
