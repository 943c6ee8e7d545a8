/**
 * Waiting until the event loop has looked at all sockets once more. It takes two turns: the first comes
 * before the sockets are looked at again, the second after. Everybody who waits shares the turns.
 */
let first: (() => void)[] = []
let second: (() => void)[] = []
let isTurning = false

export function afterNextLook(run: () => void): void {
  first.push(run)
  if (isTurning) return
  isTurning = true
  setImmediate(turn)
}

function turn(): void {
  const due = second
  second = first
  first = []
  isTurning = second.length > 0
  if (isTurning) setImmediate(turn)
  for (const run of due) run()
}
