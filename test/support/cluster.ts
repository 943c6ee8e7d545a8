/**
 * A PostgreSQL server of a test's own, to be stopped and started at will. PostgreSQL refuses to run as
 * root, so it runs as the user `postgres` where the tests are run by root.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type Cluster = {
  readonly url: string
  readonly start: () => Promise<void>
  /** `immediate` is a crash of the server: no goodbye to anybody, recovery at the next start. */
  readonly stop: (mode: 'fast' | 'immediate') => Promise<void>
  readonly remove: () => Promise<void>
}

/** Where Debian, and most others, put the binaries of each version. */
const VERSIONS = '/usr/lib/postgresql'

/** The folder of PostgreSQL's binaries; null where there are none, or no user who could run them. */
export async function findPostgres(): Promise<string | null> {
  const names = await readdir(VERSIONS).catch(() => [])
  const versions = names.map(Number).filter(Number.isInteger)
  const folders = versions.toSorted((a, b) => b - a).map((name) => join(VERSIONS, `${name}`, 'bin'))
  const bin = folders.find((folder) => existsSync(join(folder, 'initdb')))
  if (bin === undefined || (isRoot() && (await postgresUser()) === null)) return null
  return bin
}

const isRoot = (): boolean => process.getuid?.() === 0

async function postgresUser(): Promise<number | null> {
  try {
    return Number((await run('id', ['-u', 'postgres'])).stdout)
  } catch {
    return null
  }
}

/** As the user who may run a server. Arguments are quoted for the shell that `su` starts. */
async function asServer(program: string, args: readonly string[]): Promise<void> {
  if (!isRoot()) {
    await run(program, [...args])
    return
  }
  const command = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  await run('su', ['postgres', '-s', '/bin/bash', '-c', command], { cwd: '/' })
}

/** Below the range that the kernel gives to outgoing connections: nobody takes it while the server is down. */
const PORTS = { from: 20_000, to: 30_000 } as const

async function freePort(): Promise<number> {
  for (let port = PORTS.from + (process.pid % 5_000); port < PORTS.to; port++) {
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
  throw new Error('no free port')
}

export async function startCluster(bin: string): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'assent-cluster-'))
  const user = isRoot() ? await postgresUser() : null
  if (user !== null) await chown(folder, user, -1)
  const data = join(folder, 'data')
  const port = await freePort()
  await asServer(join(bin, 'initdb'), [
    '-D',
    data,
    '-U',
    'assent',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '-N',
  ])
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off`
  const control = (...args: string[]) => asServer(join(bin, 'pg_ctl'), ['-D', data, '-w', ...args])
  const start = () => control('-l', join(folder, 'log'), '-o', options, 'start')
  let isUp = false
  const self: Cluster = {
    url: `postgres://assent@127.0.0.1:${port}/postgres`,
    start: async () => {
      await start()
      isUp = true
    },
    stop: async (mode) => {
      await control('-m', mode, 'stop')
      isUp = false
    },
    remove: async () => {
      if (isUp) await self.stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
  await self.start()
  return self
}
