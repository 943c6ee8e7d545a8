/** Short news of what was just done. */
import { useEffect, useState } from 'preact/hooks'

type Toast = { readonly id: number; readonly text: string }

const SHOWN_MS = 5_000
let shown: readonly Toast[] = []
let last = 0
const listeners = new Set<() => void>()

function set(next: readonly Toast[]): void {
  shown = next
  for (const tell of listeners) tell()
}

export function toast(text: string): void {
  last += 1
  const id = last
  set([...shown, { id, text }])
  setTimeout(() => set(shown.filter((one) => one.id !== id)), SHOWN_MS)
}

export function Toasts() {
  const [, setCount] = useState(0)
  useEffect(() => {
    const tell = () => setCount((count) => count + 1)
    listeners.add(tell)
    return () => void listeners.delete(tell)
  }, [])
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text }) => (
        <div class="toast" key={id}>
          {text}
        </div>
      ))}
    </div>
  )
}
