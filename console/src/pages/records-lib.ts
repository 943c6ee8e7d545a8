/** What several parts of the record pages need. */
import { useState } from 'preact/hooks'
import { api, type Page } from '../api.ts'
import { type Loaded, useLoad } from '../load.ts'
import { href } from '../route.ts'
import type { Who } from '../types.ts'

export function may({ scopes }: Who, scope: 'read' | 'approve' | 'manage'): boolean {
  return scopes.includes('admin') || scopes.includes(scope)
}

/** `new` is the form for a record that is to be, so a record of that name has another address. */
export function recordHref(catalogId: string, recordId: string): string {
  const address = href('records', catalogId, recordId)
  return recordId === 'new' ? `${address}?record` : address
}

export type Pages<T> = {
  readonly loaded: Loaded<Page<T>>
  readonly items: readonly T[]
  readonly onMore: (() => void) | undefined
  readonly error: unknown
}

/** A list page by page; what was read of it before is dropped when it is read again from its beginning. */
export function usePages<T>(path: string, limit: number): Pages<T> {
  const loaded = useLoad(
    (signal) => api.get<Page<T>>(partOf(path, { limit: String(limit) }), { signal }),
    [path],
  )
  const [rest, setRest] = useState<Page<T> & { readonly after: Page<T> | undefined }>(NOTHING)
  const [error, setError] = useState<unknown>(undefined)
  const { data } = loaded
  const further = rest.after === data ? rest : NOTHING
  const cursor = rest.after === data && data !== undefined ? rest.nextCursor : data?.nextCursor
  const more = (from: string) => {
    api
      .get<Page<T>>(partOf(path, { limit: String(limit), cursor: from }))
      .then(({ items, nextCursor }) => {
        setRest({ items: [...further.items, ...items], nextCursor, after: data })
        setError(undefined)
      }, setError)
  }
  return {
    loaded,
    items: [...(data?.items ?? []), ...(further.items as readonly T[])],
    onMore: typeof cursor === 'string' ? () => more(cursor) : undefined,
    error,
  }
}

function partOf(path: string, which: Record<string, string>): string {
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(which)}`
}

const NOTHING = { items: [], nextCursor: null, after: undefined } as const
