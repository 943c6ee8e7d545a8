/** What every answer has to be, whatever the request was. */
import { PROBLEMS, type ProblemCode } from '../../../src/domain/problem.ts'

export type FuzzAnswer = {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly text: string
  /** Nobody can say what an answer to HEAD would have read like. */
  readonly hasBody: boolean
}

/** What is wrong with an answer; null when nothing. */
export function faultOf(answer: FuzzAnswer): string | null {
  const { status, headers, text, hasBody } = answer
  if (status >= 500 && status !== 503) return `status ${status}`
  const type = headers.get('content-type') ?? ''
  if (text.includes('"code":"internal"')) return 'an internal fault'
  if (!hasBody) return null
  if (status < 400) return type.startsWith('application/json') ? jsonFault(text) : null
  return errorFault(status, type, text)
}

function jsonFault(text: string): string | null {
  return parsed(text) === undefined ? 'a body that is not JSON' : null
}

function errorFault(status: number, type: string, text: string): string | null {
  const body = parsed(text)
  if (typeof body !== 'object' || body === null) return `${status} without a JSON body`
  const said = body as Readonly<Record<string, unknown>>
  // A change that was refused is an answer and no problem; the API that is shaped like Bpium's has its own form.
  if (status === 422 && typeof said['decision'] === 'string') return null
  if (status === 400 && Object.keys(said).join() === 'message') return null
  const { code, requestId } = said
  if (typeof code !== 'string' || !Object.hasOwn(PROBLEMS, code)) return `${status} without a code`
  if (typeof requestId !== 'string') return `${status} without a requestId`
  if (!type.startsWith('application/problem+json')) return `${status} as ${type}`
  const due = PROBLEMS[code as ProblemCode].status
  const isDue = said['status'] === status && (due === status || [422, 499].includes(due))
  return isDue ? null : `${code} with ${status}`
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Members that a request managed to put on every object. */
export const pollution = (): readonly string[] =>
  Object.keys(Object.prototype).concat('polluted' in {} ? ['polluted'] : [])
