/** Lists go on where a cursor says: the id of the last item, in a form that invites nobody to make one. */
import type { Page } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'

type PageQuery = { readonly limit: number; readonly cursor?: string | undefined }

/** One more than was asked for tells whether there is a next page. */
export function pageOf({ limit, cursor }: PageQuery): Page {
  return { limit: limit + 1, after: cursor === undefined ? null : readCursor(cursor) }
}

export function paged<T extends { readonly id: string }>(items: readonly T[], query: PageQuery) {
  return pagedBy(items, query, ({ id }) => id)
}

/** The same where something else than an id tells the items apart and orders them. */
export function pagedBy<T>(
  items: readonly T[],
  { limit }: PageQuery,
  keyOf: (item: T) => string,
): { readonly items: readonly T[]; readonly nextCursor: string | null } {
  const shown = items.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = items.length > limit && last !== undefined
  return { items: shown, nextCursor: hasMore ? writeCursor(keyOf(last)) : null }
}

function writeCursor(id: string): string {
  return Buffer.from(`1:${id}`).toString('base64url')
}

function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('utf8')
  if (text.startsWith('1:') && writeCursor(text.slice(2)) === cursor && !text.includes('\u0000')) {
    return text.slice(2)
  }
  const complaints = [{ pointer: '/cursor', message: 'This is no cursor of ours.' }]
  throw new Problem('invalid_query', { complaints })
}
