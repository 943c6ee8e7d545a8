/**
 * What clients of Bpium expect of whatever they call. A request that does not fit is 400 there, never 422,
 * and every refusal has a `message`. It is a text, because clients show it as it is; it is `{title, text}`
 * where a subscriber sent a title, as Bpium passes it on.
 */
import type { Message } from '../../../domain/message.ts'
import type { Answer, Manners } from '../route.ts'
import { bpiumProblem } from '../schemas/bpium.ts'

/** Both are on offer; a client that waits to be asked for Basic is asked for it. */
const CHALLENGE = 'Bearer realm="assent", Basic realm="assent", charset="UTF-8"'

export const BPIUM: Manners = {
  schemes: ['bearer', 'basic'],
  reword: reworded,
  problem: bpiumProblem,
  // Bpium's own client lists and creates with a slash at the end.
  isSlashOptional: true,
}

type Document = { readonly detail: string; readonly message: Message }

function reworded(problem: Answer): Answer {
  const document = JSON.parse(problem.text ?? '{}') as Document
  const status = problem.status === 422 ? 400 : problem.status
  const message = document.message.text
  const headers =
    status === 401 ? { ...problem.headers, 'www-authenticate': CHALLENGE } : problem.headers
  return { status, text: JSON.stringify({ ...document, status, message }), headers }
}

/** The status and body of a change that a subscriber refused. */
export function refusal(message: Message | undefined): { status: number; body: string } {
  const { title, text = '' } = message ?? {}
  const shown = title === undefined ? text : { title, text }
  return { status: 400, body: JSON.stringify({ message: shown }) }
}
