/** A PHP script behind PHP's own web server, as a process of its own, told by its environment only. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'
import type { Environment } from './places.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Below the range that the kernel gives to outgoing connections. PHP takes no port 0. */
const PORTS = { from: 21_000, to: 31_000 } as const

export type PhpServer = {
  readonly url: string
  /** What the script wrote, line by line, once there are so many lines. */
  readonly said: (count: number) => Promise<string[]>
  readonly close: () => Promise<void>
}

export async function startPhp(script: string, environment: Environment): Promise<PhpServer> {
  for (let port = PORTS.from + (process.pid % 5_000); port < PORTS.to; port++) {
    const server = await tryPort(script, environment, port)
    if (server !== null) return server
  }
  throw new Error('PHP found no free port')
}

/** Null where somebody else has the port. */
async function tryPort(
  script: string,
  environment: Environment,
  port: number,
): Promise<PhpServer | null> {
  const child = spawn('php', ['-S', `127.0.0.1:${port}`, script], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Without a listener, a missing program would be an error that nobody caught.
  child.on('error', () => {})
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString()
  })
  if (child.pid === undefined) throw new Error('there is no php on this machine')
  const look = () => /started$|Address already in use/m.exec(output.stderr)?.[0]
  const said = await eventually('php listens', look).catch((error: unknown) => {
    child.kill()
    throw new Error(output.stderr, { cause: error })
  })
  if (said !== 'started') return null
  const lines = () => output.stdout.split('\n').slice(0, -1)
  return {
    url: `http://127.0.0.1:${port}`,
    said: (count) =>
      eventually(`${count} lines of ${script}`, () => lines().length >= count && lines()),
    close: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'close')
  if (child.kill()) await ended
}
