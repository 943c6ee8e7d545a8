import { useState } from 'preact/hooks'

/** Names for rows that have none, so that what is typed in one stays with it when another goes. */
export function useKeys(length: number) {
  const [kept, setKept] = useState<readonly number[]>([])
  const all = [...kept]
  while (all.length < length) all.push(Math.max(-1, ...all) + 1)
  return {
    all,
    add: () => setKept([...all, Math.max(-1, ...all) + 1]),
    remove: (index: number) => setKept(all.toSpliced(index, 1)),
  }
}
