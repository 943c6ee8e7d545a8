/**
 * Requests that no route gets to see, because they cannot be read: bytes that are not HTTP, headers without
 * end, a body that does not come, no Host. Node would close the connection over them with an empty answer;
 * here they are told what is wrong in the same document as everybody else, and then it closes.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { RequestError } from '@hono/node-server'
import type { Ids } from '../../app/ports.ts'
import { acceptedLanguages } from '../../domain/message.ts'
import { Problem, type ProblemCode } from '../../domain/problem.ts'
import { ANSWER_HEADERS } from './answer-headers.ts'
import { problemAnswer } from './problem.ts'
import { usableRequestId } from './request-id.ts'

/** What Node's parser calls it, where that is more than "not HTTP". */
const CODES: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

type Unread = {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
}

function answerTo(problem: unknown, requestId: string, languages: string | undefined): Unread {
  const locales = acceptedLanguages(languages)
  const { status, text = '', headers } = problemAnswer(problem, requestId, locales)
  const length = String(Buffer.byteLength(text))
  const own = { 'content-length': length, 'x-request-id': requestId, connection: 'close' }
  return { status, text, headers: { ...headers, ...ANSWER_HEADERS, ...own } }
}

/** For the server's `clientError`: there is no request, only what the parser says and the bare socket. */
export function refuseBytes(error: Error & { readonly code?: string }, socket: Socket, ids: Ids) {
  // As Node's own handler knows it. Of a request that came whole before these bytes, this would be taken for the
  // answer, although it may have been carried out: nothing is said then.
  const begun = (socket as { readonly _httpMessage?: ServerResponse | null })._httpMessage
  const isTaken = begun?.headersSent === true || begun?.req.complete === true
  if (socket.writable && !isTaken) {
    const problem = new Problem(CODES[error.code ?? ''] ?? 'unreadable_request')
    const { status, text, headers } = answerTo(problem, ids.make('req'), undefined)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`)
  }
  socket.destroySoon()
}

/** For a request that has been read so far that it can be answered, and not so far that it means something. */
export function refuseUnread(
  { incoming, outgoing }: { incoming: IncomingMessage; outgoing: ServerResponse },
  problem: Problem,
  ids: Ids,
): void {
  const { 'x-request-id': sent, 'accept-language': languages } = incoming.headers
  const requestId = usableRequestId(typeof sent === 'string' ? sent : undefined, ids)
  const { status, text, headers } = answerTo(problem, requestId, languages)
  outgoing.writeHead(status, headers).end(text)
}

/** For a request of which hono could make no URL, such as one for a host that has no name. */
export function responseTo(error: unknown, ids: Ids): Response {
  const cause = error instanceof RequestError ? new Problem('unreadable_request') : error
  const { status, text, headers } = answerTo(cause, ids.make('req'), undefined)
  return new Response(text, { status, headers })
}

/** RFC 9112 §3.2: without it nobody can say whom an HTTP/1.1 request is for. */
export const lacksHost = ({ headers, httpVersionMinor }: IncomingMessage): boolean =>
  headers.host === undefined && httpVersionMinor > 0
