/** Arithmetic on one budget for the whole change. Times are milliseconds of a monotonic clock. */

/** One budget for the whole change, as the caller may set it. */
export const BUDGET_MS = { min: 50, max: 30_000, default: 10_000 } as const
export const DENY_GRACE_DEFAULT_MS = 100

export type Deadline = { readonly startedAt: number; readonly endsAt: number }

export function deadlineFrom(startedAt: number, budgetMs: number): Deadline {
  return { startedAt, endsAt: startedAt + budgetMs }
}

export function remainingMs(deadline: Deadline, now: number): number {
  return Math.max(0, deadline.endsAt - now)
}

/**
 * What one call may take: its own limit, cut by what is left of the change's budget. Zero means that
 * the call must not be started.
 */
export function callBudgetMs(deadline: Deadline, ownMs: number, now: number): number {
  return Math.min(ownMs, remainingMs(deadline, now))
}
