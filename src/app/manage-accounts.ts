/** Accounts are made and named by the operator's admins; others see their own. */
import { Problem } from '../domain/problem.ts'
import { type Account, type Accounts, OPERATOR_ACCOUNT } from './app-store.ts'
import type { Ids } from './ports.ts'
import type { Page } from './store.ts'

export type AccountPorts = {
  readonly accounts: Accounts
  readonly ids: Ids
  /** What is remembered of callers, limits included. */
  readonly forgetKeys: () => void
}

export type AccountPatch = {
  readonly title?: string | undefined
  readonly accountNumber?: string | null | undefined
  readonly maxPerSecond?: number | null | undefined
}

export type AccountDraft = {
  readonly id: string | undefined
  readonly title: string
  readonly accountNumber: string | null | undefined
  readonly maxPerSecond: number | null | undefined
}

type AccountView = ReturnType<typeof viewOf>

export async function createAccount(
  callerAccountId: string,
  { id, title, accountNumber = null, maxPerSecond = null }: AccountDraft,
  { accounts, ids, forgetKeys }: AccountPorts,
): Promise<AccountView> {
  if (callerAccountId !== OPERATOR_ACCOUNT) {
    const detail = `Accounts are made by the admins of the account ${OPERATOR_ACCOUNT}.`
    throw new Problem('forbidden', { detail })
  }
  const draft = { id: id ?? ids.make('acc'), title, accountNumber, maxPerSecond }
  const account = await accounts.create(draft)
  // Tokens may name it from now on.
  forgetKeys()
  return viewOf(account)
}

export async function listAccounts(
  callerAccountId: string,
  page: Page,
  { accounts }: AccountPorts,
): Promise<readonly AccountView[]> {
  if (callerAccountId === OPERATOR_ACCOUNT) return (await accounts.list(page)).map(viewOf)
  if (page.after !== null && page.after >= callerAccountId) return []
  const own = await accounts.read(callerAccountId)
  return own === null ? [] : [viewOf(own)]
}

export async function readAccount(
  callerAccountId: string,
  id: string,
  { accounts }: AccountPorts,
): Promise<AccountView> {
  const account = mayManage(callerAccountId, id) ? await accounts.read(id) : null
  return viewOf(orNotFound(account))
}

export async function updateAccount(
  callerAccountId: string,
  id: string,
  patch: AccountPatch,
  { accounts, forgetKeys }: AccountPorts,
): Promise<AccountView> {
  if (patch.maxPerSecond !== undefined && callerAccountId !== OPERATOR_ACCOUNT) {
    const detail = `How often an account may call is set by the admins of the account ${OPERATOR_ACCOUNT}.`
    throw new Problem('forbidden', { detail })
  }
  const change = (current: Account): Account => ({
    ...current,
    title: patch.title ?? current.title,
    accountNumber: patch.accountNumber === undefined ? current.accountNumber : patch.accountNumber,
    maxPerSecond: patch.maxPerSecond === undefined ? current.maxPerSecond : patch.maxPerSecond,
  })
  const changed = mayManage(callerAccountId, id) ? await accounts.update(id, change) : null
  const account = orNotFound(changed)
  forgetKeys()
  return viewOf(account)
}

/** Whether an account is there, and this caller's business. */
export async function isManageable(
  callerAccountId: string,
  id: string,
  { accounts }: Pick<AccountPorts, 'accounts'>,
): Promise<boolean> {
  if (id === callerAccountId) return true
  return mayManage(callerAccountId, id) && (await accounts.read(id)) !== null
}

function mayManage(callerAccountId: string, id: string): boolean {
  return callerAccountId === OPERATOR_ACCOUNT || callerAccountId === id
}

function orNotFound(account: Account | null): Account {
  if (account === null) throw new Problem('not_found')
  return account
}

function viewOf({ id, title, accountNumber, maxPerSecond, createdAt }: Account) {
  return {
    id,
    title,
    accountNumber: accountNumber ?? undefined,
    maxPerSecond: maxPerSecond ?? undefined,
    createdAt,
  }
}
