/** Gateways on one database, each a process: any of them may be killed at any moment, and is started again. */
import { eventually } from '../eventually.ts'
import type { Api } from '../gateway.ts'
import type { Environment } from '../places.ts'
import { type GatewayProcess, startProcess } from '../process.ts'

export class Fleet {
  readonly #environment: Environment
  readonly #live = new Set<GatewayProcess>()
  readonly #returning = new Set<Promise<void>>()
  readonly #doomed = new WeakSet<GatewayProcess>()
  readonly #fallen: string[] = []
  #kills = 0
  #isOver = false

  private constructor(environment: Environment) {
    this.#environment = environment
  }

  /** The first one alone: it makes the tables. */
  static async start(environment: Environment, size: number): Promise<Fleet> {
    const fleet = new Fleet(environment)
    await fleet.#join()
    await Promise.all(Array.from({ length: size - 1 }, () => fleet.#join()))
    return fleet
  }

  get live(): readonly GatewayProcess[] {
    return [...this.#live]
  }

  get apis(): readonly Api[] {
    return this.live.map(({ api }) => api)
  }

  get kills(): number {
    return this.#kills
  }

  /** What those said last that ended without being killed. */
  get fallen(): readonly string[] {
    return this.#fallen
  }

  /** SIGKILL, all at once; others take their places as soon as they can. */
  async kill(...victims: readonly GatewayProcess[]): Promise<void> {
    await Promise.all(
      victims.map(async (victim) => {
        this.#doomed.add(victim)
        this.#live.delete(victim)
        await victim.kill()
        this.#kills++
      }),
    )
    for (let n = 0; n < victims.length; n++) {
      const back: Promise<void> = this.#join().finally(() => this.#returning.delete(back))
      // Told by complete().
      back.catch(() => {})
      this.#returning.add(back)
    }
  }

  /** Resolves when all places are taken again. */
  async complete(): Promise<void> {
    await Promise.all(this.#returning)
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.allSettled(this.#returning)
    await Promise.all(
      this.live.map((gateway) => {
        this.#doomed.add(gateway)
        return gateway.kill()
      }),
    )
  }

  /** While the database is away no gateway starts: tried until one does. */
  async #join(): Promise<void> {
    const started = await eventually<GatewayProcess | 'over'>('a gateway starts', () =>
      this.#isOver ? 'over' : startProcess(this.#environment),
    )
    if (started === 'over') return
    this.#live.add(started)
    void started.exited.then(({ code, signal }) => {
      this.#live.delete(started)
      if (this.#doomed.has(started)) return
      this.#fallen.push(`ended with ${code ?? signal}: ${started.output.stderr}`)
    })
  }
}
