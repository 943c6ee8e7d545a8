/**
 * Runs a menu action: one guarded call, tried once. No breaker: a person has pressed a button and wants a
 * try. The bulkhead stays, so that a button pressed by everybody at once cannot pile up calls.
 */
import type { Clock } from '../../app/ports.ts'
import type { ActionCall, ActionOutcome, ActionRunner } from '../../app/run-action.ts'
import { readActionReply } from '../../dialects/action-reply.ts'
import type { FailureCause } from '../../domain/verdict.ts'
import type { CallOutcome } from './call.ts'
import { type LineOptions, Lines } from './lines.ts'
import { actionRequest, sendRequest } from './outgoing.ts'

/** The same for every action. */
export const LINE_SETTINGS = {
  maxConcurrency: 64,
  maxInFlight: 0,
  // Never asked.
  breaker: {
    failureRate: 1,
    minimumCalls: 1,
    windowMs: 1_000,
    openMs: 1_000,
    consecutiveFailures: 1,
  },
} as const

export type ActionRunnerWithLines = ActionRunner & {
  forget(accountId: string, id: string): void
  close(): void
}

/** Lines of their own: an action's id is chosen by people, and may be that of a subscription. */
export function createActionRunner(options: LineOptions): ActionRunnerWithLines {
  const lines = new Lines(options)
  return {
    run: (call) => run(options, lines, call),
    forget: (accountId, id) => lines.forget(lineId(accountId, id)),
    close: () => lines.close(),
  }
}

/** Accounts choose ids without knowing of each other. */
const lineId = (accountId: string, id: string): string => JSON.stringify([accountId, id])

type Ending = Omit<ActionOutcome, 'durationMs'>

async function run(
  { clock, journal }: LineOptions,
  lines: Lines,
  call: ActionCall,
): Promise<ActionOutcome> {
  const startedAt = clock.monotonicMs()
  let ending: Ending
  try {
    ending = await send(clock, lines, call)
  } catch (error) {
    journal.record({ kind: 'request.crashed', requestId: call.requestId, error })
    ending = unheard('unreachable')
  }
  return { ...ending, durationMs: Math.round(clock.monotonicMs() - startedAt) }
}

async function send(clock: Clock, lines: Lines, call: ActionCall): Promise<Ending> {
  const { action } = call
  const line = lines.of({
    ...LINE_SETTINGS,
    id: lineId(action.accountId, action.id),
    tls: action.tls,
  })
  if (!line.bulkhead.enter()) return unheard('overloaded')
  try {
    const request = actionRequest(call, clock)
    const { timeoutMs: budgetMs } = action
    const order = { line, clock, settings: LINE_SETTINGS, request, budgetMs }
    return endingOf(call, await sendRequest(order).result)
  } finally {
    line.bulkhead.leave()
  }
}

function endingOf({ action }: ActionCall, outcome: CallOutcome): Ending {
  switch (outcome.kind) {
    // Only this gateway breaks one off, when it goes away.
    case 'cancelled':
      return unheard('unreachable')
    case 'failed':
      return unheard(outcome.cause, outcome.begun?.status)
    case 'reply':
      return { ...readActionReply(action.dialect, outcome), httpStatus: outcome.status }
  }
}

function unheard(failure: FailureCause, httpStatus?: number): Ending {
  return { failure, message: undefined, httpStatus }
}
