/**
 * A PostgreSQL of the bench's own: a private cluster in the temporary folder, with the durability that
 * comes out of the box (fsync, synchronous_commit and full_page_writes on), because a commit that does
 * not reach the disk is not the one that users wait for. BENCH_DATABASE_URL names a server to use instead.
 */
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { atTheEnd, freePort, lastLines, launch, temporaryFolder } from './processes.mjs'

const EXIT_MISSING = 2
const START_TIMEOUT_MS = 30_000
const VERSIONS = '/usr/lib/postgresql'
const USER = 'postgres'

/**
 * @returns {Promise<{ pid: number | null, createDatabase: (name: string) => Promise<string>,
 *   query: (url: string, text: string, values?: unknown[]) => Promise<object[]> }>} `pid` is the
 *   postmaster's, for its CPU time; null when the server is somebody else's.
 */
export async function startPostgres() {
  const { BENCH_DATABASE_URL: url } = process.env
  if (url !== undefined && url !== '')
    return serverAt(url, { pid: null, prefix: `bench_${process.pid}_` })
  const programs = findPrograms()
  const { port, pid } = await startCluster(programs)
  return serverAt(`postgres://assent@127.0.0.1:${port}/postgres`, { pid, prefix: '' })
}

function serverAt(url, { pid, prefix }) {
  return {
    pid,
    url,
    query: queryAt,
    async createDatabase(name) {
      const database = `${prefix}${name}`.replaceAll('-', '_')
      await queryAt(url, `create database ${database}`)
      if (pid === null) atTheEnd(() => queryAt(url, `drop database ${database} with (force)`))
      return Object.assign(new URL(url), { pathname: `/${database}` }).href
    },
  }
}

async function queryAt(url, text, values = []) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query(text, values)
    return rows
  } finally {
    await client.end()
  }
}

// ---- the private cluster

async function startCluster(programs) {
  const folder = temporaryFolder('postgres')
  const asUser = becomeOwner(folder)
  const data = join(folder, 'data')
  const initdb = ['-D', data, '-U', 'assent', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N']
  execFileSync(...asUser(join(programs, 'initdb'), initdb), { stdio: 'ignore' })
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    max_connections: 300,
    unix_socket_directories: '',
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [command, args] = asUser(join(programs, 'postgres'), [
    '-D',
    data,
    '-p',
    `${port}`,
    ...flags,
  ])
  // SIGQUIT: at once. Nothing in there is needed any more.
  const server = launch({ name: 'postgres', command, args, stopSignal: 'SIGQUIT' })
  await untilItAnswers(port, server)
  return { port, pid: server.pid }
}

/** PostgreSQL refuses to run as root; setpriv changes the user and becomes the server, under the same id. */
function becomeOwner(folder) {
  if (process.getuid?.() !== 0) return (program, args) => [program, args]
  const idOf = (flag) => Number(execFileSync('id', [flag, USER], { encoding: 'utf8' }))
  chownSync(folder, idOf('-u'), idOf('-g'))
  const privileges = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups']
  return (program, args) => ['setpriv', [...privileges, program, ...args]]
}

async function untilItAnswers(port, server) {
  const end = performance.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      await queryAt(`postgres://assent@127.0.0.1:${port}/postgres`, 'select 1')
      return
    } catch (error) {
      if (server.hasEnded || performance.now() > end) {
        throw new Error(`PostgreSQL does not answer:\n${lastLines(server.logPath)}`, {
          cause: error,
        })
      }
      await sleep(50)
    }
  }
}

// ---- its programs

function findPrograms() {
  const found = newestPrograms() ?? (installWithApt(['postgresql']) ? newestPrograms() : null)
  if (found !== null) return found
  console.error(
    'The bench needs a PostgreSQL: install the Debian package `postgresql`, or name a server whose user may create databases in BENCH_DATABASE_URL.',
  )
  process.exit(EXIT_MISSING)
}

function newestPrograms() {
  if (!existsSync(VERSIONS)) return null
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a))
  const folders = versions.map((version) => join(VERSIONS, version, 'bin'))
  return folders.find((path) => existsSync(join(path, 'initdb'))) ?? null
}

/** On a Debian machine where we may; false when it cannot be had. */
export function installWithApt(packages) {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return false
  console.error(`Installing with apt-get: ${packages.join(' ')}`)
  // RUNLEVEL: what is installed as a service must not start as one.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  try {
    execFileSync('apt-get', ['update'], { env, stdio: 'ignore' })
    const install = ['install', '-y', '--no-install-recommends', ...packages]
    execFileSync('apt-get', install, { env, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
