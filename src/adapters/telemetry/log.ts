/**
 * Log lines: one canonical line for each approval, one for each attempt to notify, one for each menu action
 * that was run, and one for whatever an operator must know. Fields are chosen by name here; record values, texts of validators, keys and
 * secrets have no way into a line.
 */
// A CommonJS package whose names Node cannot see beforehand: only its default can be imported.
import sonicBoom from 'sonic-boom'
import type { JournalEvent } from '../../app/journal.ts'
import type { Clock } from '../../app/ports.ts'
import type { Verdict } from '../../domain/verdict.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type Log = {
  readonly record: (event: JournalEvent) => void
  /** Resolves when all lines are written, or cannot be. */
  readonly flush: () => Promise<void>
}

/**
 * Lines are gathered and written in chunks, so that logging does not stand in the write path. Chunks of up
 * to 4 KiB arrive whole also when several workers write into one pipe (POSIX, PIPE_BUF).
 */
const CHUNK_BYTES = { least: 3_072, most: 4_096 } as const
const FLUSH_EVERY_MS = 250
/** What cannot be written because whoever reads the log is stuck is let go of beyond this. */
const BACKLOG_BYTES_MAX = 16_777_216

export function createLog(level: LogLevel, clock: Clock): Log {
  const stream = new sonicBoom.SonicBoom({
    fd: 1,
    sync: false,
    minLength: CHUNK_BYTES.least,
    maxWrite: CHUNK_BYTES.most,
    periodicFlush: FLUSH_EVERY_MS,
    maxLength: BACKLOG_BYTES_MAX,
  })
  // Whoever read the log is gone, or the disk is full: the gateway goes on without its lines.
  let isBroken = false
  stream.on('error', () => {
    isBroken = true
  })
  const least = LOG_LEVELS.indexOf(level)
  return {
    record: (event) => {
      const severity = severityOf(event)
      if (isBroken || LOG_LEVELS.indexOf(severity) < least) return
      const time = new Date(clock.wallMs()).toISOString()
      // The members of the line follow those that every line has; merging two objects would cost more.
      const members = JSON.stringify(lineOf(event)).slice(1)
      stream.write(`{"level":"${severity}","time":"${time}",${members}\n`)
    },
    // Never flushSync: on a pipe that nobody reads any more it tries for ever.
    flush: () =>
      new Promise((resolve) => {
        if (isBroken) resolve()
        else stream.flush(() => resolve())
      }),
  }
}

type Severity = 'debug' | 'info' | 'warn' | 'error'

function severityOf(event: JournalEvent): Severity {
  switch (event.kind) {
    case 'approval.decided':
      return event.degraded ? 'warn' : 'info'
    case 'approval.failed':
      return event.code === 'internal' ? 'error' : 'info'
    case 'approval.amended':
    case 'call.ended':
    case 'request.shed':
    case 'request.limited':
    case 'commit.flushed':
    case 'log.flushed':
    case 'subscription.forgotten':
      return 'debug'
    case 'breaker.changed':
      return event.state === 'closed' ? 'info' : 'warn'
    case 'delivery.attempted':
      return event.state === 'delivered' ? 'info' : 'warn'
    case 'action.ended':
      return event.status === 'done' ? 'info' : 'warn'
    case 'subscription.failing':
    case 'subscription.disabled':
    case 'deliveries.reaped':
    case 'deliveries.mended':
      return 'warn'
    case 'process':
      return event.level
    case 'commit.fell_apart':
    case 'log.dropped':
    case 'relay.stumbled':
    case 'store.trouble':
    case 'request.crashed':
      return 'error'
  }
}

function lineOf(event: JournalEvent): object {
  switch (event.kind) {
    case 'approval.decided':
      return approvalLine(event)
    case 'approval.amended':
      return { ...event, verdicts: undefined, validators: event.verdicts.map(validatorLine) }
    case 'approval.failed':
      return { ...event, totalMs: tidy(event.totalMs) }
    case 'delivery.attempted':
      return { ...event, durationMs: tidy(event.durationMs), ageMs: tidy(event.ageMs) }
    case 'action.ended':
      return { ...event, durationMs: tidy(event.durationMs) }
    case 'process':
      return { kind: event.kind, msg: event.message }
    case 'commit.fell_apart':
    case 'log.dropped':
    case 'relay.stumbled':
    case 'store.trouble':
      return { ...event, error: nameOf(event.error) }
    case 'request.crashed':
      return { ...event, error: nameOf(event.error), stack: stackOf(event.error) }
    case 'call.ended':
    case 'request.shed':
    case 'request.limited':
    case 'commit.flushed':
    case 'log.flushed':
    case 'subscription.forgotten':
    case 'breaker.changed':
    case 'subscription.failing':
    case 'subscription.disabled':
    case 'deliveries.reaped':
    case 'deliveries.mended':
      return event
  }
}

const tidy = (ms: number): number => Math.round(ms * 100) / 100

/** Member by member: this is written for every approval. */
function approvalLine(event: Extract<JournalEvent, { kind: 'approval.decided' }>): object {
  return {
    kind: event.kind,
    decisionId: event.decisionId,
    requestId: event.requestId,
    accountId: event.accountId,
    event: event.event,
    catalogId: event.catalogId,
    recordId: event.recordId,
    decision: event.decision,
    commit: event.commit,
    committed: event.committed,
    degraded: event.degraded,
    rounds: event.rounds,
    totalMs: tidy(event.totalMs),
    addedMs: tidy(Math.max(0, event.totalMs - event.validatorsMs)),
    validatorsMs: event.validatorsMs,
    commitMs: event.commitMs,
    validators: event.verdicts.map(validatorLine),
  }
}

function validatorLine(verdict: Verdict): object {
  return {
    subscriptionId: verdict.subscriptionId,
    outcome: verdict.outcome,
    cause: verdict.cause,
    durationMs: verdict.durationMs,
    applied: verdict.applied,
    mode: verdict.mode === 'shadow' ? verdict.mode : undefined,
  }
}

/**
 * An error's kind, never its whole text: messages of the database quote values, and its `detail` quotes
 * rows. The message is cut at the first quotation.
 */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  const message = error.message.split(/["'`«\n]/, 1)[0]?.slice(0, 200) ?? ''
  const cause = error.cause === undefined ? '' : ` (${nameOf(error.cause)})`
  return `${error.name}${code}: ${message}${cause}`
}

/** Where, not what: the lines of the stack without the message above them. */
function stackOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined
  return error.stack
    .split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 12)
    .join('\n')
}
