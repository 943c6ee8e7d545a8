/** What a page reads, and how far that is. An answer that comes too late for what is asked for now is dropped. */
import { useEffect, useRef, useState } from 'preact/hooks'

export type Loaded<T> = {
  /** What was read last; kept while it is read again. */
  readonly data: T | undefined
  readonly error: unknown
  readonly isLoading: boolean
  readonly reload: () => void
}

type Read<T> = (signal: AbortSignal) => Promise<T>

/** Reads again whenever one of `inputs` changes. */
export function useLoad<T>(read: Read<T>, inputs: readonly unknown[]): Loaded<T> {
  const [count, setCount] = useState(0)
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>(FIRST)
  useEffect(() => {
    const control = new AbortController()
    setState((before) => ({ ...before, isLoading: true }))
    read(control.signal).then(
      (data) => {
        if (!control.signal.aborted) setState({ data, error: undefined, isLoading: false })
      },
      (error: unknown) => {
        if (!control.signal.aborted) setState((before) => ({ ...before, error, isLoading: false }))
      },
    )
    return () => control.abort()
  }, [...inputs, count])
  return { ...state, reload: () => setCount((before) => before + 1) }
}

const FIRST = { data: undefined, error: undefined, isLoading: true } as const

/** Calls now and then while the page is looked at; the next call waits for the one before. */
export function usePoll(everyMs: number, poll: (signal: AbortSignal) => Promise<void>): void {
  const latest = useRef(poll)
  latest.current = poll
  useEffect(() => {
    const control = new AbortController()
    let timer = 0
    const next = () => {
      const turn = document.hidden ? Promise.resolve() : latest.current(control.signal)
      turn
        .catch(() => {})
        .finally(() => {
          if (!control.signal.aborted) timer = window.setTimeout(next, everyMs)
        })
    }
    next()
    return () => {
      control.abort()
      clearTimeout(timer)
    }
  }, [everyMs])
}
