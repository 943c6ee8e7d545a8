/** The gateway as a process of its own, started as `npm start` starts it, and ended as tests like it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { takeDataFolder } from '../../src/adapters/system/data-folder.ts'
import { eventually } from './eventually.ts'
import { ADMIN_KEY, Api } from './gateway.ts'
import { type Environment } from './places.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BUILD_WAIT_MS = 120_000

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type GatewayProcess = {
  readonly url: string
  readonly api: Api
  readonly pid: number
  readonly output: Output
  /** Sends the signal and resolves when the process has ended. */
  readonly end: (signal: NodeJS.Signals) => Promise<Exit>
  /** Closes our end of its standard output, as `| head` does. */
  readonly stopReading: () => void
  readonly signal: (signal: NodeJS.Signals) => void
  /** SIGKILL; resolves when this process is gone, its children perhaps not. */
  readonly kill: () => Promise<void>
  readonly exited: Promise<Exit>
}

export type Output = { stdout: string; stderr: string }

export type EndedProcess = Output & Exit

/** Everything that was started and has not ended, for the end of a suite that failed. */
const running = new Set<ChildProcess>()

/** Compiles src/ unless that is done already. Suites run beside each other, so one at a time. */
async function build(): Promise<void> {
  const turn = await takeDataFolder(join(tmpdir(), 'assent-test-build'), BUILD_WAIT_MS)
  try {
    await promisify(execFile)(process.execPath, [join(ROOT, 'tools/build.mjs')], { cwd: ROOT })
  } finally {
    await turn.release()
  }
}

/** Nothing of the surroundings gets in: only what the test says. */
function launch(
  environment: Environment,
  command: readonly string[] = [],
): { child: ChildProcess; output: Output } {
  const main = join(ROOT, 'dist/main.js')
  const child = spawn(process.execPath, ['--enable-source-maps', main, ...command], {
    env: { PATH: process.env['PATH'], PORT: '0', ASSENT_LOG_LEVEL: 'error', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const output: Output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString()
  })
  return { child, output }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  // `close`, not `exit`: by then all of its output has arrived.
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  running.delete(child)
  return { code, signal }
}

/** Starts a gateway and waits until it says where it listens. */
export async function startProcess(environment: Environment): Promise<GatewayProcess> {
  await build()
  const { child, output } = launch({ ASSENT_ADMIN_KEY: ADMIN_KEY, ...environment })
  const exited = exitOf(child)
  const failed = exited.then(({ code, signal }) => {
    throw new Error(`ended with ${code ?? signal} before it listened: ${output.stderr}`)
  })
  failed.catch(() => {})
  const look = () => /^Console: (\S+)\/console$/m.exec(output.stdout)?.[1]
  const url = await Promise.race([eventually('the gateway listens', look), failed])
  const send = (signal: NodeJS.Signals) => void child.kill(signal)
  return {
    url,
    api: new Api(url, environment['ASSENT_ADMIN_KEY'] ?? ADMIN_KEY),
    pid: child.pid ?? 0,
    output,
    signal: send,
    kill: async () => {
      const gone = once(child, 'exit')
      send('SIGKILL')
      await gone
    },
    stopReading: () => void child.stdout?.destroy(),
    end: (signal) => {
      send(signal)
      return exited
    },
    exited,
  }
}

/** Starts a gateway that is expected to end by itself. */
export async function runToEnd(
  environment: Environment,
  command: readonly string[] = [],
): Promise<EndedProcess> {
  await build()
  const { child, output } = launch(environment, command)
  const exit = await exitOf(child)
  return { ...output, ...exit }
}

/** Ends whatever a failed test left running. */
export async function endAll(): Promise<void> {
  const left = [...running]
  await Promise.all(
    left.map(async (child) => {
      const ended = once(child, 'close')
      child.kill('SIGKILL')
      await ended
    }),
  )
}
