import { describe, expect, it } from 'vitest'
import { HEALTH_SLOT_MS, HEALTH_SLOTS, Health } from '../../../../src/adapters/outbound/health.ts'
import { FakeClock } from './support.ts'

function healthAt() {
  const clock = new FakeClock()
  return { clock, health: new Health(clock) }
}

describe('the health of a subscription', () => {
  it('counts outcomes and the causes of failures', () => {
    const { health } = healthAt()
    health.record('allow', undefined, 5)
    health.record('allow', undefined, 5)
    health.record('deny', undefined, 5)
    health.record('failed', 'timeout', 100)
    health.record('failed', 'timeout', 100)
    health.record('failed', 'circuit_open', 0)
    health.record('cancelled', undefined, 3)
    expect(health.summary()).toMatchObject({
      counts: { allow: 2, deny: 1, failed: 3, cancelled: 1 },
      failures: { timeout: 2, circuit_open: 1 },
    })
  })

  it('remembers five minutes and no more', () => {
    const { health, clock } = healthAt()
    health.record('allow', undefined, 5)
    clock.advance(HEALTH_SLOT_MS * (HEALTH_SLOTS - 1))
    health.record('deny', undefined, 5)
    expect(health.summary().counts).toMatchObject({ allow: 1, deny: 1 })
    clock.advance(HEALTH_SLOT_MS)
    expect(health.summary().counts).toMatchObject({ allow: 0, deny: 1 })
    clock.advance(HEALTH_SLOT_MS * HEALTH_SLOTS)
    expect(health.summary()).toMatchObject({ counts: { deny: 0 }, p50Ms: null, p99Ms: null })
    health.record('allow', undefined, 5)
    expect(health.summary().counts).toMatchObject({ allow: 1, deny: 0 })
  })

  it.each([0.1, 1, 7, 20, 150, 999, 4_000, 29_000])(
    'knows a latency of %d ms to within a fifth',
    (durationMs) => {
      const { health } = healthAt()
      for (let call = 0; call < 100; call += 1) health.record('allow', undefined, durationMs)
      const { p50Ms } = health.summary()
      expect(p50Ms).toBeGreaterThanOrEqual(durationMs)
      expect(p50Ms).toBeLessThanOrEqual(Math.max(0.25, durationMs * 1.2))
    },
  )

  it('tells the middle from the slow end', () => {
    const { health } = healthAt()
    for (let call = 0; call < 98; call += 1) health.record('allow', undefined, 10)
    health.record('allow', undefined, 1_000)
    health.record('deny', undefined, 1_000)
    expect(health.summary().p50Ms).toBeLessThan(13)
    expect(health.summary().p99Ms).toBeGreaterThanOrEqual(1_000)
  })

  it('takes no latency from calls that were never made or were broken off', () => {
    const { health } = healthAt()
    health.record('failed', 'circuit_open', 0)
    health.record('failed', 'overloaded', 0)
    health.record('failed', 'budget_exhausted', 0)
    health.record('failed', 'egress_blocked', 0)
    health.record('cancelled', undefined, 4)
    expect(health.summary()).toMatchObject({ p50Ms: null, p99Ms: null })
  })
})
