/** A list that is read page by page. */
import { useRef, useState } from 'preact/hooks'
import { api, type Page, withQuery } from './api.ts'
import { type Loaded, useLoad } from './load.ts'

export type Pages<T> = {
  readonly loaded: Loaded<Page<T>>
  readonly items: readonly T[]
  /** More than the first page was read. */
  readonly hasFurther: boolean
  readonly onMore: (() => void) | undefined
  readonly error: unknown
}

/** What was read beyond one reading of the first page: behind another one it has no place. */
type Further<T> = Page<T> & { readonly after: Page<T> | undefined; readonly error: unknown }

/** What was read of it before is dropped when it is read again from its beginning. */
export function usePages<T>(path: string, limit: number): Pages<T> {
  const loaded = useLoad(
    (signal) => api.get<Page<T>>(withQuery(path, { limit }), { signal }),
    [path],
  )
  const [read, setRead] = useState<Further<T> | undefined>(undefined)
  const { data } = loaded
  const latest = useRef(data)
  latest.current = data
  const further = read?.after === data ? read : undefined
  const items = further?.items ?? []
  const cursor = (further ?? data)?.nextCursor ?? null
  const more = (from: string) => {
    const shown = { items, nextCursor: from, after: data, error: undefined }
    const put = (next: Partial<Further<T>>) => {
      if (latest.current === data) setRead({ ...shown, ...next })
    }
    api.get<Page<T>>(withQuery(path, { limit, cursor: from })).then(
      (page) => put({ ...page, items: [...items, ...page.items] }),
      (error: unknown) => put({ error }),
    )
  }
  return {
    loaded,
    items: [...(data?.items ?? []), ...items],
    hasFurther: items.length > 0,
    onMore: cursor === null ? undefined : () => more(cursor),
    error: further?.error,
  }
}
