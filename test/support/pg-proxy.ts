/**
 * A PostgreSQL server with a bad line in front of it. The proxy reads just enough of the protocol to know
 * which prepared statement is about to run, and loses the connection at the worst possible moments.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

/** What happens to a statement on its way. The gateway loses its connection in each case. */
export type Accident =
  /** It never leaves. */
  | 'before'
  /** Half of it leaves. */
  | 'halfway'
  /** It arrives and runs; the server's answer is lost. */
  | 'answer lost'
  /** It arrives; whether it has run is anybody's guess. */
  | 'on its way'
  /** It is kept back, and arrives when the test says so, long after the gateway gave it up. */
  | 'kept back'

export type Ending = 'closed' | 'reset'

/** An accident that happened. */
export type Casualty = {
  /** Lets a statement that was kept back go on; otherwise does nothing. */
  readonly release: () => void
  /** How the server ended it: null for success, else its SQLSTATE; undefined when it never got there. */
  readonly outcome: Promise<string | null | undefined>
}

export type PgProxy = {
  /** The database through the proxy. */
  readonly url: string
  /** Resolves when the next statement of that name has met with the accident. */
  readonly next: (statement: string, accident: Accident, ending?: Ending) => Promise<Casualty>
  /** Cuts what there is. */
  readonly cutAll: (ending?: Ending) => void
  /** Cuts what there is and what comes, until it is taken back. */
  readonly goDown: () => void
  readonly comeBack: () => void
  /** How many statements of that name came by. */
  readonly seen: (statement: string) => number
  readonly close: () => Promise<void>
}

type Trap = {
  readonly statement: string
  readonly accident: Accident
  readonly ending: Ending
  readonly spring: (casualty: Casualty) => void
}

type State = {
  readonly target: URL
  readonly lines: Set<Line>
  readonly counts: Map<string, number>
  traps: Trap[]
  isDown: boolean
}

export async function startPgProxy(databaseUrl: string): Promise<PgProxy> {
  const target = new URL(databaseUrl)
  const state: State = { target, lines: new Set(), counts: new Map(), traps: [], isDown: false }
  const server = createServer((client) => {
    if (state.isDown) client.resetAndDestroy()
    else new Line(client, state)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  const cutAll = (ending: Ending = 'reset') => {
    for (const line of state.lines) line.cut(ending)
  }
  return {
    url: url.href,
    next: (statement, accident, ending = 'closed') =>
      new Promise((spring) => {
        state.traps.push({ statement, accident, ending, spring })
      }),
    cutAll,
    goDown: () => {
      state.isDown = true
      cutAll()
    },
    comeBack: () => {
      state.isDown = false
    },
    seen: (statement) => state.counts.get(statement) ?? 0,
    close: async () => {
      cutAll()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Bytes of one direction, cut into messages: a type, unless it is the first one, and a length. */
class Messages {
  #rest: Buffer = Buffer.alloc(0)
  #isFirst: boolean

  constructor(startsWithoutType: boolean) {
    this.#isFirst = startsWithoutType
  }

  push(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const messages: Buffer[] = []
    for (;;) {
      const typeBytes = this.#isFirst ? 0 : 1
      if (this.#rest.length < typeBytes + 4) return messages
      const length = typeBytes + this.#rest.readInt32BE(typeBytes)
      if (this.#rest.length < length) return messages
      messages.push(this.#rest.subarray(0, length))
      this.#rest = this.#rest.subarray(length)
      this.#isFirst = false
    }
  }
}

const typeOf = (message: Buffer): string => String.fromCharCode(message[0] ?? 0)

/** `B`, length, portal NUL, statement NUL … */
function boundStatement(message: Buffer): string | null {
  if (typeOf(message) !== 'B') return null
  const portalEnd = message.indexOf(0, 5)
  const name = message.toString('utf8', portalEnd + 1, message.indexOf(0, portalEnd + 1))
  // One statement in several shapes has its shape's number behind its name.
  return name.replace(/_\d+$/, '')
}

/** The SQLSTATE of an ErrorResponse: fields of one letter and a text, `C` is the code. */
function sqlstateOf(message: Buffer): string {
  for (const field of message.toString('utf8', 5).split('\u0000')) {
    if (field.startsWith('C')) return field.slice(1)
  }
  return ''
}

/** One connection of the gateway and its counterpart at the server. */
class Line {
  readonly #client: Socket
  readonly #server: Socket
  readonly #state: State
  /** What was kept back, once the accident has begun. */
  #kept: Buffer[] | null = null
  #isForwarding = true
  /** Set while the fate of a trapped statement is being watched. */
  #end: ((outcome: string | null | undefined) => void) | null = null
  #error: string | null = null
  #onReady: (() => void) | null = null

  constructor(client: Socket, state: State) {
    this.#client = client
    this.#state = state
    this.#server = dial(Number(state.target.port) || 5432, state.target.hostname)
    state.lines.add(this)
    const [toServer, toClient] = [new Messages(true), new Messages(false)]
    client.on('data', (chunk: Buffer) => {
      for (const message of toServer.push(chunk)) this.#fromClient(message)
    })
    this.#server.on('data', (chunk: Buffer) => {
      for (const message of toClient.push(chunk)) this.#fromServer(message)
    })
    for (const socket of [client, this.#server]) {
      // Messages are passed on one by one.
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    client.on('close', () => {
      // A statement under watch goes on without the gateway.
      if (this.#end === null) this.#server.destroy()
    })
    this.#server.on('close', () => {
      this.#end?.(undefined)
      state.lines.delete(this)
      client.destroy()
    })
  }

  cut(ending: Ending): void {
    this.#hangUp(ending)
    if (this.#end === null) this.#server.destroy()
  }

  #hangUp(ending: Ending): void {
    if (ending === 'reset') this.#client.resetAndDestroy()
    else this.#client.destroy()
  }

  #fromClient(message: Buffer): void {
    if (this.#kept !== null) {
      this.#kept.push(message)
      return
    }
    if (!this.#isForwarding) return
    const statement = boundStatement(message)
    if (statement !== null) {
      const { counts, traps } = this.#state
      counts.set(statement, (counts.get(statement) ?? 0) + 1)
      const trap = traps.find((one) => one.statement === statement)
      if (trap !== undefined) {
        this.#state.traps = traps.filter((one) => one !== trap)
        this.#befall(trap, message)
        return
      }
    }
    this.#server.write(message)
  }

  #befall({ accident, ending, spring }: Trap, message: Buffer): void {
    const outcome = new Promise<string | null | undefined>((resolve) => {
      this.#end = resolve
    })
    const tell = (release = () => {}) => spring({ release, outcome })
    switch (accident) {
      case 'before':
      case 'halfway': {
        this.#isForwarding = false
        const half = message.subarray(0, Math.ceil(message.length / 2))
        if (accident === 'halfway') this.#server.end(half)
        else this.#server.end()
        this.#hangUp(ending)
        tell()
        return
      }
      case 'answer lost':
        this.#server.write(message)
        this.#onReady = () => {
          this.#hangUp(ending)
          tell()
        }
        return
      case 'on its way':
      case 'kept back':
        this.#keepBack(message, (release) => {
          this.#hangUp(ending)
          if (accident === 'on its way') release()
          tell(release)
        })
    }
  }

  /** Gathers the statement up to its Sync. */
  #keepBack(first: Buffer, whenWhole: (release: () => void) => void): void {
    const kept = [first]
    const release = () => {
      for (const one of kept.splice(0)) this.#server.write(one)
    }
    this.#kept = kept
    const push = kept.push.bind(kept)
    kept.push = (...messages: Buffer[]) => {
      const length = push(...messages)
      if (messages.some((one) => typeOf(one) === 'S')) whenWhole(release)
      return length
    }
  }

  #fromServer(message: Buffer): void {
    if (this.#end === null) {
      this.#client.write(message)
      return
    }
    if (typeOf(message) === 'E') this.#error = sqlstateOf(message)
    if (typeOf(message) !== 'Z') return
    this.#onReady?.()
    this.#end(this.#error)
    this.#end = null
    this.#server.end()
  }
}
