/** Promises broken become RFC 9457 documents; bugs become a bland 500 with the request's id. */
import { PROBLEMS, Problem } from '../../domain/problem.ts'
import type { Answer } from './route.ts'

export function problemAnswer(error: unknown, requestId: string): Answer {
  const problem = error instanceof Problem ? error : new Problem('internal')
  const { status, title } = PROBLEMS[problem.code]
  const { detail, complaints, retryAfterSeconds } = problem.details
  const body = {
    type: `urn:assent:problem:${problem.code}`,
    title,
    status,
    detail: detail ?? title,
    code: problem.code,
    requestId,
    errors: complaints,
  }
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds)
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="assent"'
  // What was not read to its end cannot be followed by another request.
  if (problem.code === 'body_too_large') headers['connection'] = 'close'
  return { status, text: JSON.stringify(body), headers }
}
