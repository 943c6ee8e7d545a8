/** What every write has in common on the wire: who asks, in which language, under which key. */
import type { ApproveResponse } from '../../app/answer.ts'
import { type ApproveCommand, type ApprovePorts, approve, type Keep } from '../../app/approve.ts'
import type { Answered } from '../../app/conclude.ts'
import type { KeyRegistry } from '../../app/once-only.ts'
import { acceptedLanguages, type Locales } from '../../domain/message.ts'
import { Problem } from '../../domain/problem.ts'
import type { Answer, Context } from './route.ts'

export type WritePorts = ApprovePorts & { readonly keyRegistry: KeyRegistry }

/** Header names for the documentation of routes that write. */
export const IDEMPOTENCY_HEADERS = {
  'Idempotency-Key':
    'The same key and body within 24 h gets the first answer again (`Idempotent-Replayed: true`).',
} as const

type Request = Context<unknown, unknown>

/** What the caller wants done: of a command everything that does not come from the request's headers. */
export type Wish = Pick<
  ApproveCommand,
  'event' | 'catalogId' | 'commit' | 'timeoutMs' | 'denyGraceMs' | 'confirm'
> &
  Partial<
    Pick<
      ApproveCommand,
      'recordId' | 'values' | 'prevValues' | 'allValues' | 'user' | 'context' | 'baseVersion'
    >
  >

/** One literal that names every member: an object put together from parts costs ten times as much. */
export function commandOf(
  request: Request,
  wish: Wish,
  keep: Keep | null,
  { chainTokens }: WritePorts,
): ApproveCommand {
  return {
    accountId: request.caller.accountId,
    keyId: request.caller.keyId,
    requestId: request.requestId,
    waitedMs: request.waitedMs,
    // Method, address and signature are something too.
    size: 1_000 + request.bodyText.length,
    locales: localesOf(wish.user?.locale, request.header('accept-language')),
    chain: chainTokens.open(request.header('x-assent-chain'), request.caller.accountId),
    traceparent: traceparentOf(request.header('traceparent')),
    presence: request.presence,
    progress: undefined,
    event: wish.event,
    catalogId: wish.catalogId,
    recordId: wish.recordId,
    values: wish.values,
    prevValues: wish.prevValues,
    allValues: wish.allValues,
    user: wish.user,
    context: wish.context,
    baseVersion: wish.baseVersion,
    commit: wish.commit,
    timeoutMs: wish.timeoutMs,
    denyGraceMs: wish.denyGraceMs,
    confirm: wish.confirm,
    keep,
  }
}

export function localesOf(locale: string | undefined, header: string | undefined): Locales {
  const accepted = acceptedLanguages(header)
  return locale === undefined ? accepted : [locale, ...accepted]
}

/** W3C Trace Context: passed on as it is, so that what validators do joins the caller's trace. */
export function traceparentOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  return /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(header)
    ? header
    : undefined
}

/** What a decision reads like as the answer of this route. */
export type Render = (response: ApproveResponse) => {
  readonly status: number
  readonly body: string
}

/** The key that the request asks to be answered under, bound to its method, path and body. */
export function keepOf(
  request: Request,
  name: string,
  ports: WritePorts,
  render: Render,
): Keep | null {
  const key = request.header('idempotency-key')
  if (key === undefined) return null
  if (!/^[\x20-\x7e]{1,200}$/.test(key) || key.trim() === '') {
    throw new Problem('invalid_header', {
      detail: 'Idempotency-Key takes 1 to 200 visible ASCII characters.',
    })
  }
  const version = request.header('if-match') ?? ''
  const fingerprint = ports.vault.sha256(`${name}\n${version}\n${request.bodyText}`)
  return { key, fingerprint, render }
}

/** Decides, or repeats what was decided under the same key. */
export function decideOnce(command: ApproveCommand, ports: WritePorts): Promise<Answered> {
  return ports.keyRegistry.once(command.accountId, command.keep, () => approve(command, ports))
}

export async function answerOf(
  command: ApproveCommand,
  ports: WritePorts,
  render: Render,
): Promise<Answer> {
  const answered = await decideOnce(command, ports)
  if (answered.kind === 'replayed') {
    const { status, body } = answered.kept
    return { status, text: body, headers: { 'idempotent-replayed': 'true' } }
  }
  const { status, body } = answered.kept ?? render(answered.response)
  return { status, text: body }
}
