/** Stand-ins for what the use cases need of the world; each does as its port promises, in memory. */
import { createHash } from 'node:crypto'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import type { ApproveCommand } from '../../../src/app/approve.ts'
import type { Presence } from '../../../src/app/ask-validators.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import { createInFlight } from '../../../src/app/in-flight.ts'
import type { JournalEvent } from '../../../src/app/journal.ts'
import type {
  Asker,
  Call,
  ChainTokens,
  Clock,
  Ids,
  Journal,
  Question,
  Reply,
  Vault,
} from '../../../src/app/ports.ts'
import type {
  AccountConfiguration,
  Approvals,
  CommitItem,
  CommitResult,
  ConfigurationStore,
  DecisionEntry,
  KeptAnswer,
  KeptAnswers,
  Records,
  StoredRecord,
} from '../../../src/app/store.ts'
import { EMPTY_CHAIN } from '../../../src/domain/chain.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import type { Answer, Verdict } from '../../../src/domain/verdict.ts'
import { ACCOUNT, failed } from '../../support/build.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export const fakeVault: Vault = {
  randomBytes: (count) => new Uint8Array(count).fill(7),
  random: () => 0.5,
  sha256,
  tag: (purpose, text) => sha256(`${purpose}:${text}`),
  isTagged: (purpose, text, tag) => tag === sha256(`${purpose}:${text}`),
  isSame: (left, right) => left === right,
}

export function countingIds(): Ids {
  let last = 0
  return { make: (prefix) => `${prefix}_${++last}` }
}

export function recordingJournal(): Journal & { readonly events: JournalEvent[] } {
  const events: JournalEvent[] = []
  return { events, record: (event) => void events.push(event) }
}

/** A caller that is there until it leaves. */
export function fakePresence() {
  let isHere = true
  let listeners: (() => void)[] = []
  const presence: Presence = {
    isGone: () => !isHere,
    onGone: (listener) => {
      listeners.push(listener)
      return () => {
        listeners = listeners.filter((other) => other !== listener)
      }
    },
  }
  return {
    presence,
    leave: () => {
      isHere = false
      for (const tell of listeners) tell()
    },
    get listening() {
      return listeners.length
    },
  }
}

/** A call under way, to be answered by the test. */
export type FakeCall = {
  readonly question: Question
  readonly isCancelled: boolean
  readonly answer: (answer: Answer, status?: number, isGone?: true) => void
}

type Script = (question: Question) => Answer | null

/**
 * Answers by its script, or leaves the call to the test (null). With a clock it keeps the asker's promise:
 * no call outlives its budget, and none without a budget starts.
 */
export class FakeAsker implements Asker {
  readonly calls: FakeCall[] = []
  script: Script
  readonly #clock: Clock | null

  constructor(script: Script = () => null, clock: Clock | null = null) {
    this.script = script
    this.#clock = clock
  }

  /** Ids of those who were asked, in order; empties the list. */
  takeAsked(): string[] {
    return this.calls.splice(0).map(({ question }) => question.subscription.id)
  }

  /** The latest call to a subscription. */
  call(id: string): FakeCall {
    const found = this.calls.findLast(({ question }) => question.subscription.id === id)
    if (found === undefined) throw new Error(`${id} was not asked`)
    return found
  }

  ask(question: Question): Call {
    let isCancelled = false
    let settle: (reply: Reply) => void = () => {}
    const reply = new Promise<Reply>((resolve) => {
      settle = resolve
    })
    const answer = (said: Answer, status = 200, isGone?: true) =>
      settle({ answer: said, status, isGone })
    this.calls.push({
      question,
      answer,
      get isCancelled() {
        return isCancelled
      },
    })
    const end = (said: Answer) => settle({ answer: said, status: undefined })
    if (this.#clock !== null && question.budgetMs <= 0) end(failed('budget_exhausted'))
    else this.#clock?.schedule(question.budgetMs, () => end(failed('timeout')))
    const scripted = this.script(question)
    if (scripted !== null) answer(scripted)
    return {
      reply,
      cancel: () => {
        isCancelled = true
        end({ kind: 'cancelled' })
      },
    }
  }
}

/** The number of the only account there is. */
export const ACCOUNT_NUMBER = '0042'

/** An account's settings, which a test may change while validators are asked. */
export class FakeAccount implements ConfigurationStore {
  current: AccountConfiguration
  loads = 0

  constructor(
    subscriptions: readonly Subscription[],
    catalogs: AccountConfiguration['catalogs'] = [],
  ) {
    const accountNumber = ACCOUNT_NUMBER
    const told = { accountNumber, subscriptions, catalogs, eventTypes: [] }
    this.current = { accountId: ACCOUNT, generation: 1, ...told }
  }

  change(subscriptions: readonly Subscription[]): void {
    this.current = { ...this.current, generation: this.current.generation + 1, subscriptions }
  }

  async load(accountId: string): Promise<AccountConfiguration | null> {
    this.loads++
    return accountId === ACCOUNT ? this.current : null
  }

  async generation(accountId: string): Promise<number | null> {
    return accountId === ACCOUNT ? this.current.generation : null
  }
}

/** Commits as the store does: generation and presence are looked at, other results are set by the test. */
class FakeApprovals implements Approvals {
  readonly committed: CommitItem[] = []
  readonly refused: CommitItem[] = []
  readonly logged: DecisionEntry[] = []
  readonly amended: { decisionId: string; verdicts: readonly Verdict[] }[] = []
  result: Exclude<CommitResult, 'withdrawn'> = 'committed'
  onCommit: () => void = () => {}
  readonly #account: FakeAccount

  constructor(account: FakeAccount) {
    this.#account = account
  }

  async commit(item: CommitItem, isWanted: () => boolean): Promise<CommitResult> {
    this.onCommit()
    const result = this.#resultOf(item, isWanted)
    const list = result === 'committed' ? this.committed : this.refused
    list.push(item)
    return result
  }

  #resultOf(item: CommitItem, isWanted: () => boolean): CommitResult {
    if (!isWanted()) return 'withdrawn'
    const { generation } = this.#account.current
    if (item.insistsOnGeneration && item.entry.generation !== generation) {
      return 'configuration_changed'
    }
    return this.result
  }

  log(entry: DecisionEntry): void {
    this.logged.push(entry)
  }

  amend(_accountId: string, decisionId: string, verdicts: readonly Verdict[]): void {
    this.amended.push({ decisionId, verdicts })
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }
}

export function keptAnswersOf(...answers: KeptAnswer[]): KeptAnswers {
  return { find: async (_, key) => answers.find((one) => one.key === key) ?? null }
}

export function recordOf(over: Partial<StoredRecord> = {}): StoredRecord {
  return {
    id: 'rec_1',
    catalogId: 'orders',
    version: 3,
    origin: 'dec_0',
    values: { status: 'new', total: 10 },
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...over,
  }
}

export function recordsOf(...stored: StoredRecord[]): Records {
  return {
    read: async (_, catalogId, id) =>
      stored.find((one) => one.catalogId === catalogId && one.id === id) ?? null,
    list: async () => stored,
  }
}

const unsealed = (): { seal: ChainTokens['seal']; open: ChainTokens['open'] } => ({
  seal: () => 'sealed',
  open: () => EMPTY_CHAIN,
})

/** Everything that an approval needs, around one account. */
export function approvalWorld(
  subscriptions: readonly Subscription[],
  script: Script = () => ({ kind: 'allow', remarks: [], values: undefined }),
) {
  const clock = new FakeClock()
  const account = new FakeAccount(subscriptions)
  const asker = new FakeAsker(script)
  const approvals = new FakeApprovals(account)
  const journal = recordingJournal()
  let told = 0
  const gone: string[] = []
  const ports = {
    configurations: createConfigurations(account, compilePattern),
    records: recordsOf(recordOf()),
    asker,
    approvals,
    keptAnswers: keptAnswersOf(),
    clock,
    ids: countingIds(),
    vault: fakeVault,
    approvalSigner: { sign: (claims: object) => JSON.stringify(claims) },
    journal,
    chainTokens: unsealed(),
    inFlight: createInFlight(),
    onCommitted: () => void told++,
    onGone: (subscriptionId: string) => void gone.push(subscriptionId),
  }
  return {
    account,
    gone,
    asker,
    approvals,
    journal,
    clock,
    ports,
    get told() {
      return told
    },
  }
}

export function commandOf(over: Partial<ApproveCommand> = {}): ApproveCommand {
  return {
    accountId: ACCOUNT,
    requestId: 'req_1',
    keyId: 'key_1',
    waitedMs: 0,
    size: 100,
    event: 'record.before.updated',
    catalogId: 'orders',
    recordId: 'rec_1',
    values: { status: 'paid' },
    prevValues: undefined,
    allValues: undefined,
    user: { id: 'anna' },
    context: undefined,
    baseVersion: undefined,
    commit: 'gateway',
    timeoutMs: 10_000,
    denyGraceMs: 100,
    confirm: [],
    locales: [],
    chain: EMPTY_CHAIN,
    traceparent: undefined,
    presence: fakePresence().presence,
    progress: undefined,
    keep: null,
    ...over,
  }
}
