import { describe, expect, it } from 'vitest'
import { LoopDelay } from '../../../../src/adapters/http/loop-delay.ts'

/** A clock whose timers fire when the test lets them, however late. */
function world() {
  let now = 0
  let due: { at: number; run: () => void } | null = null
  const loop = new LoopDelay({
    wallMs: () => now,
    monotonicMs: () => now,
    schedule: (delayMs, run) => {
      due = { at: now + delayMs, run }
      return () => {
        due = null
      }
    },
  })
  loop.start()
  return {
    loop,
    isTicking: () => due !== null,
    /** The next tick comes so late. */
    tick: (lateMs: number) => {
      const { at = 0, run = () => {} } = due ?? {}
      now = at + lateMs
      run()
    },
  }
}

describe('the lateness of the loop', () => {
  it('is noticed when it goes on, not after one long turn', () => {
    const { loop, tick } = world()
    tick(3_000)
    expect(loop.isOverrun).toBe(false)
    tick(0)
    tick(3_000)
    expect(loop.isOverrun).toBe(false)
    tick(501)
    expect(loop.isOverrun).toBe(true)
    tick(501)
    expect(loop.isOverrun).toBe(true)
  })

  it('is over with the first tick that comes in time', () => {
    const { loop, tick } = world()
    tick(900)
    tick(900)
    tick(500)
    expect(loop.isOverrun).toBe(false)
  })

  it('is not looked at any more when it is stopped', () => {
    const { loop, isTicking } = world()
    expect(isTicking()).toBe(true)
    loop.stop()
    expect(isTicking()).toBe(false)
  })
})
