/**
 * From bytes to a value that is safe to work with: capped while it is read, UTF-8, scanned before it is
 * parsed, then checked by the route's schema.
 */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { z } from 'zod'
import { FAULT_TEXTS, pointerAt, scanJson } from '../../domain/json-scan.ts'
import { pointerTo } from '../../domain/pointer.ts'
import { type Complaint, Problem } from '../../domain/problem.ts'

const BODY_BYTES_MAX = 1_048_576
/** Of whoever has shown no key: room for one. */
export const KEYLESS_BODY_BYTES_MAX = 8_192

const tooLarge = (bytesMax: number) =>
  new Problem('body_too_large', { detail: `A body has at most ${bytesMax} bytes.` })

/** Reads the body of a request on a socket. Rejects as soon as the cap is passed. */
export function readIncoming(
  incoming: IncomingMessage,
  bytesMax = BODY_BYTES_MAX,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(incoming.headers['content-length'] ?? 0) > bytesMax)
      return reject(tooLarge(bytesMax))
    const chunks: Buffer[] = []
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) return void chunks.push(chunk)
      incoming.removeAllListeners('data')
      incoming.pause()
      reject(tooLarge(bytesMax))
    })
    incoming.on('end', () => {
      const [first] = chunks
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks))
    })
    incoming.on('error', (error) => reject(new Problem('client_gone', { cause: error })))
    incoming.on('close', () => {
      if (!incoming.complete) reject(new Problem('client_gone'))
    })
  })
}

/** The same for a request without a socket. */
export async function readRequest(request: Request): Promise<Buffer> {
  const bytes = Buffer.from(await request.arrayBuffer())
  if (bytes.length > BODY_BYTES_MAX) throw tooLarge(BODY_BYTES_MAX)
  return bytes
}

export function decodeText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new Problem('invalid_json', { detail: 'The body is not UTF-8.' })
  return bytes.toString('utf8')
}

/** Parses what passed the scan. Throws Problem `invalid_json` or `json_too_deep`, with a pointer. */
export function parseJson(text: string): unknown {
  const fault = scanJson(text, 'exact')
  if (fault !== null) {
    const complaint = { pointer: pointerAt(text, fault.offset), message: FAULT_TEXTS[fault.kind] }
    const code = fault.kind === 'too_deep' ? 'json_too_deep' : 'invalid_json'
    throw new Problem(code, { detail: complaint.message, complaints: [complaint] })
  }
  try {
    return JSON.parse(text)
  } catch {
    const complaints = [{ pointer: '', message: 'This is not JSON.' }]
    throw new Problem('invalid_json', { detail: 'The body is not JSON.', complaints })
  }
}

/** Checks a value against a schema. Throws Problem `invalid_request` with everything that is wrong. */
export function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new Problem('invalid_request', { complaints: complaintsOf(result.error) })
}

const COMPLAINTS_MAX = 50

export function complaintsOf(error: z.ZodError): Complaint[] {
  return error.issues.slice(0, COMPLAINTS_MAX).map((issue) => ({
    pointer: pointerTo(...issue.path.map((key) => (typeof key === 'symbol' ? '' : key))),
    message: issue.message,
  }))
}
