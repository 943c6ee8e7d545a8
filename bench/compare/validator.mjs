/**
 * Validators of the bench: one process that listens on every port of PORTS (a comma list).
 *
 *   /check/<D>     answers after D ms: allows, or denies with 400 and a message what says `deny`
 *   /check403/<D>  the same with 403, and by the header x-record-status too: all that nginx's
 *                  auth_request understands and can send
 *   /ready         answers at once
 */
import { createServer } from 'node:http'

const ALLOW = '{"decision":"allow"}'
const DENY = '{"error":"denied by policy","message":"denied by policy"}'
const DENIED_RECORD = /"status\\?"\s*:\s*\\?"deny/
const BACKLOG = 1_024

function send(response, status, text) {
  if (response.destroyed) return
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}

function answer(request, response, body) {
  const [, kind, delay] = request.url.split('/')
  if (kind === 'ready') return send(response, 200, '{}')
  const isDenied =
    DENIED_RECORD.test(body) ||
    (kind === 'check403' && request.headers['x-record-status'] === 'deny')
  const status = isDenied ? (kind === 'check403' ? 403 : 400) : 200
  const delayMs = Number(delay)
  if (delayMs > 0) setTimeout(send, delayMs, response, status, isDenied ? DENY : ALLOW)
  else send(response, status, isDenied ? DENY : ALLOW)
}

function onRequest(request, response) {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => answer(request, response, Buffer.concat(chunks).latin1Slice()))
}

for (const port of process.env.PORTS.split(',')) {
  // Nobody's connection is closed for being idle: the bench measures calls, not reconnects.
  createServer({ keepAliveTimeout: 600_000, requestTimeout: 0 }, onRequest)
    .on('connection', (socket) => socket.setNoDelay(true).on('error', () => {}))
    .listen(Number(port), '127.0.0.1', BACKLOG)
}
