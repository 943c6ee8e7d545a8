// A validator in plain HTTP, without an SDK. It refuses orders above a limit, and fills in a form.
//
//   node examples/plain-validator.mjs
//
// Subscribe it with the dialect `standard` to record.before.created, record.before.updated and
// record.updating. What is left out here is the check of the signature: receiver.mjs shows it.
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

const LIMIT = 1_000
const TOO_MUCH = {
  en: `An order may be ${LIMIT} at most.`,
  ru: `Заказ может быть не больше ${LIMIT}.`,
  uk: `Замовлення може бути не більше ${LIMIT}.`,
}

function answer({ type, data }) {
  if (type === 'record.updating') return { values: { delivery: 'courier', currency: 'EUR' } }
  // An update brings what changes; the record as it was comes beside it.
  const order = { ...data.prevValues, ...data.values }
  if (!(order.total > LIMIT)) return { decision: 'allow' }
  return { decision: 'deny', errors: [{ code: 'limit', field: 'total', message: TOO_MUCH }] }
}

const server = createServer((request, response) => {
  json(request)
    .then(answer)
    .then(
      (reply) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply)),
      // Neither an allow nor a deny: the subscription's failure policy decides.
      () => response.writeHead(500).end(),
    )
})

server.listen(process.env.PORT ?? 9001, '127.0.0.1', () => {
  console.log(`Listening on http://127.0.0.1:${server.address().port}`)
})
