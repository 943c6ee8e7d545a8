/** Promises broken become RFC 9457 documents; bugs become a bland 500 with the request's id. */
import type { Locales } from '../../domain/message.ts'
import { PROBLEMS, Problem } from '../../domain/problem.ts'
import { problemText } from '../../domain/problem-texts.ts'
import type { Answer } from './route.ts'

/** `locales`: the languages of the person who may get to see it. Title and detail are for programs. */
export function problemAnswer(error: unknown, requestId: string, locales: Locales): Answer {
  const problem = error instanceof Problem ? error : new Problem('internal')
  const { status, title } = PROBLEMS[problem.code]
  const { detail, complaints, retryAfterSeconds } = problem.details
  const { text, language } = problemText(problem, locales)
  const body = {
    type: `urn:assent:problem:${problem.code}`,
    title,
    status,
    detail: detail ?? title,
    code: problem.code,
    requestId,
    message: { text },
    errors: complaints,
  }
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    // For whom the document is: what it says to programs is in English, always.
    'content-language': language,
  }
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds)
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="assent"'
  // What was not read to its end cannot be followed by another request.
  if (problem.code === 'body_too_large') headers['connection'] = 'close'
  return { status, text: JSON.stringify(body), headers }
}
