/**
 * Watching an approval: `plan`, one `verdict` for each answer as it comes, then `decision` with the whole
 * response; or `problem` when it ended in one after the stream had begun. What goes wrong before the
 * plan is an ordinary problem document.
 */
import type { ApproveCommand, Progress } from '../../app/approve.ts'
import type { Answered } from '../../app/conclude.ts'
import { Problem } from '../../domain/problem.ts'
import { applyPolicy, outcomeOf } from '../../domain/verdict.ts'
import { decideOnce, type WritePorts } from './command.ts'
import { problemAnswer } from './problem.ts'
import type { Answer } from './route.ts'

const HEADERS = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } as const

export async function progressAnswer(command: ApproveCommand, ports: WritePorts): Promise<Answer> {
  const sink = new Sink()
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const progress = progressInto(sink, begin)
  const answered = decideOnce({ ...command, progress }, ports)
  const ended = answered.then(
    (one) => sink.end('decision', textOf(one)),
    (error: unknown) => {
      if (!(error instanceof Problem)) {
        ports.journal.record({ kind: 'request.crashed', requestId: command.requestId, error })
      }
      const problem = problemAnswer(error, command.requestId, command.locales)
      sink.end('problem', problem.text ?? '{}')
    },
  )
  // Whichever is first: the plan (then the stream goes out), an answer of before, or a problem.
  await Promise.race([begun, answered])
  void ended
  const isReplay = !sink.isBegun && (await answered).kind === 'replayed'
  const headers = isReplay ? { ...HEADERS, 'idempotent-replayed': 'true' } : HEADERS
  return { status: 200, stream: sink.stream, headers }
}

function textOf(answered: Answered): string {
  if (answered.kind === 'replayed') return answered.kept.body
  return answered.kept?.body ?? JSON.stringify(answered.response)
}

/** One plan and one verdict each, also when the configuration or the change moved and somebody was asked again. */
function progressInto(sink: Sink, begin: () => void): Progress {
  const told = new Set<string>()
  return {
    planned: (plan, decisionId) => {
      if (sink.isBegun) return
      sink.isBegun = true
      const subscriptions = plan.asked.map(({ id, name, mode, timeoutMs }) => ({
        subscriptionId: id,
        name,
        mode,
        timeoutMs,
      }))
      sink.send('plan', JSON.stringify({ id: decisionId, subscriptions }))
      begin()
    },
    answered: (subscription, { answer, status, durationMs }) => {
      if (told.has(subscription.id)) return
      told.add(subscription.id)
      const effect = applyPolicy(answer, subscription.mode, subscription.onFailure)
      const verdict = {
        subscriptionId: subscription.id,
        name: subscription.name,
        mode: subscription.mode,
        outcome: outcomeOf(answer),
        cause: answer.kind === 'failed' ? answer.cause : undefined,
        status,
        durationMs: Math.round(durationMs * 100) / 100,
        applied: effect === 'confirm' ? 'none' : effect,
      }
      sink.send('verdict', JSON.stringify(verdict))
    },
  }
}

class Sink {
  readonly stream: ReadableStream<Uint8Array>
  isBegun = false
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  readonly #encoder = new TextEncoder()

  constructor() {
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller
      },
      cancel: () => {
        this.#controller = null
      },
    })
  }

  send(event: string, data: string): void {
    this.#controller?.enqueue(this.#encoder.encode(`event: ${event}\ndata: ${data}\n\n`))
  }

  end(event: string, data: string): void {
    this.send(event, data)
    this.#controller?.close()
    this.#controller = null
  }
}
