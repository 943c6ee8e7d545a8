/** What happens to the bytes of one request to `POST /v1/approve` before anybody works with them. */
import { checked, decodeText, parseJson } from '../../dist/adapters/http/body.js'
import { approveRequest } from '../../dist/adapters/http/schemas/approval.js'
import { scanJson } from '../../dist/domain/json-scan.js'
import { approveText } from './samples.mjs'

export function readingCandidates() {
  const text = approveText()
  const bytes = Buffer.from(text)
  const value = JSON.parse(text)
  return [
    { name: 'bytes to text (UTF-8 checked)', run: () => decodeText(bytes) },
    { name: 'scanJson', run: () => scanJson(text, 'exact') },
    { name: 'JSON.parse', run: () => JSON.parse(text) },
    { name: 'schema (zod)', run: () => checked(approveRequest, value) },
    { name: 'all of it', run: () => checked(approveRequest, parseJson(decodeText(bytes))) },
  ].map((one) => ({ group: `request of ${bytes.length} bytes`, ...one }))
}
