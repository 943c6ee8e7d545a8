/**
 * A receiver of notifications that notes how old each of them is when its first byte is here, on PORT.
 *
 *   POST /notify     a notification in the standard dialect; its `timestamp` is when the commit's
 *                    transaction began, by the database's clock, so the commit itself counts as well
 *   GET  /arrivals   how many arrived, how many of them a second time, and their ages in milliseconds
 *   POST /count      is counted, and nothing else
 *   POST /silent     gets no answer
 *   GET  /counted    how many were counted, and the milliseconds from the first to the last
 *   POST /forget     begins anew
 *   GET  /ready      answers at once
 */
import { createServer } from 'node:http'

const seen = new Set()
let ages = []
let repeated = 0
let counted = 0
let firstAtMs = 0
let lastAtMs = 0

function count() {
  lastAtMs = performance.now()
  if (counted === 0) firstAtMs = lastAtMs
  counted += 1
}

function note(request, arrivedAtMs, body) {
  const id = request.headers['webhook-id']
  if (seen.has(id)) {
    repeated += 1
    return
  }
  seen.add(id)
  ages.push(arrivedAtMs - Date.parse(JSON.parse(body).timestamp))
}

function forget() {
  seen.clear()
  ages = []
  repeated = 0
  counted = 0
}

function answer(request, arrivedAtMs, body) {
  switch (request.url) {
    case '/notify':
      note(request, arrivedAtMs, body)
      return '{}'
    case '/count':
      count()
      return '{}'
    case '/counted':
      return JSON.stringify({ count: counted, spanMs: lastAtMs - firstAtMs })
    case '/arrivals':
      return JSON.stringify({ count: seen.size, repeated, ages })
    case '/forget':
      forget()
      return '{}'
    default:
      return '{}'
  }
}

createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, (request, response) => {
  const arrivedAtMs = Date.now()
  if (request.url === '/silent') return
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const text = answer(request, arrivedAtMs, Buffer.concat(chunks).toString('utf8'))
    response.setHeader('content-type', 'application/json').end(text)
  })
}).listen(Number(process.env.PORT), '127.0.0.1')
