/**
 * What the bench starts, and what it costs. Each child leads a process group of its own and is ended by
 * its own id, whatever way the bench itself ends; files go under one temporary folder, which goes too.
 */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const STOP_TIMEOUT_MS = 10_000
const EXIT_SIGNAL = 130
/** USER_HZ is 100 on Linux, whatever the kernel ticks with. */
export const TICK_MS = 10
const PAGE_BYTES = 4_096
const BYTES_PER_MB = 1_048_576

const running = new Set()
const endings = []
let folder = null
let isArmed = false
/** After a signal nothing is started any more, whatever the scenario under way would like to do next. */
let isEnding = false

// ---- starting and stopping

/** A folder that is removed when the bench ends; others may look through it, as PostgreSQL's user must. */
export function temporaryFolder(name) {
  if (isEnding) throw new Error('the bench was told to end')
  armEnding()
  if (folder === null) {
    folder = mkdtempSync(join(tmpdir(), 'assent-bench-'))
    chmodSync(folder, 0o711)
  }
  const path = join(folder, name)
  mkdirSync(path, { recursive: true, mode: 0o711 })
  return path
}

/** Something else that has to be undone, run in reverse order once all processes have ended. */
export function atTheEnd(undo) {
  armEnding()
  endings.push(undo)
}

/**
 * @param {{ name: string, command: string, args?: readonly string[], cwd?: string, env?: object,
 *   stopSignal?: NodeJS.Signals }} what
 */
export function launch({ name, command, args = [], cwd, env = {}, stopSignal = 'SIGTERM' }) {
  const logPath = join(temporaryFolder('logs'), `${name}.log`)
  const log = openSync(logPath, 'a')
  const stdio = ['ignore', log, log]
  const child = spawn(command, args, { cwd, env: environmentWith(env), stdio, detached: true })
  closeSync(log)
  const launched = { name, pid: child.pid, logPath, isStopping: false, stopSignal, hasEnded: false }
  launched.ended = new Promise((resolve) => {
    child.on('error', (error) => ended(launched, error.message, resolve))
    child.on('exit', (code, signal) => ended(launched, code ?? signal, resolve))
  })
  launched.stop = () => stopOne(launched)
  running.add(launched)
  return launched
}

function ended(launched, how, resolve) {
  launched.hasEnded = true
  launched.how = how
  running.delete(launched)
  if (!launched.isStopping) {
    console.error(`${launched.name} ended by itself (${how}):\n${lastLines(launched.logPath)}`)
  }
  resolve()
}

/** Settings of whoever runs the bench must not become settings of what is measured. */
function environmentWith(env) {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(ASSENT_|PG|npm_|DATABASE_URL$|PORT$|HOST$|NODE_OPTIONS$)/.test(name),
  )
  return { ...Object.fromEntries(own), ...env }
}

export function lastLines(path, count = 15) {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}

async function stopOne(launched) {
  if (launched.hasEnded) return
  launched.isStopping = true
  signalGroup(launched, launched.stopSignal)
  const timeout = new AbortController()
  const late = sleep(STOP_TIMEOUT_MS, undefined, { signal: timeout.signal }).catch(() => {})
  await Promise.race([launched.ended, late])
  timeout.abort()
  // Whatever is left of its group.
  signalGroup(launched, 'SIGKILL')
  await launched.ended
}

function signalGroup({ pid }, signal) {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended.
  }
}

/** The last one started ends first: what others stand on stays until they are gone. */
export async function stopAll() {
  for (const launched of [...running].reverse()) await launched.stop()
  for (const undo of endings.splice(0).reverse()) await undo()
  removeFolder()
}

function removeFolder() {
  if (folder !== null) rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
  folder = null
}

function armEnding() {
  if (isArmed) return
  isArmed = true
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // The second one insists.
      if (isEnding) process.exit(EXIT_SIGNAL)
      isEnding = true
      void stopAll().finally(() => process.exit(EXIT_SIGNAL))
    })
  }
  process.on('exit', () => {
    for (const launched of running) {
      launched.isStopping = true
      // PostgreSQL's children are no members of its group; SIGQUIT is how it is told to end them at once.
      signalGroup(launched, launched.stopSignal === 'SIGQUIT' ? 'SIGQUIT' : 'SIGKILL')
    }
    removeFolder()
  })
}

/** Waits until a URL answers with less than 500; says what the process wrote last when it does not. */
export async function untilReady(url, launched, timeoutMs = 60_000) {
  const end = performance.now() + timeoutMs
  for (;;) {
    if (await answers(url)) return
    if (launched.hasEnded) throw new Error(`${launched.name} ended before it was ready`)
    if (performance.now() > end) {
      throw new Error(`${launched.name} is not ready:\n${lastLines(launched.logPath)}`)
    }
    await sleep(10)
  }
}

async function answers(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.text()
    return response.status < 500
  } catch {
    return false
  }
}

// ---- ports

const PORT_MIN = 17_000
/** The kernel takes the ports of outgoing connections from 32768 on. */
const PORT_MAX = 32_700

const given = new Set()

/** A free port on the loopback that nobody here was given before. */
export async function freePort() {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN))
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

export async function freePorts(count) {
  const ports = []
  while (ports.length < count) ports.push(await freePort())
  return ports
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

// ---- what it costs

/** CPU time and resident memory of processes with all their children, ended ones included. */
export function usageOf(pids) {
  let cpuMs = 0
  let residentMb = 0
  for (const pid of withChildren(pids)) {
    const stat = statOf(pid)
    if (stat === null) continue
    cpuMs += stat.cpuMs
    residentMb += stat.residentMb
  }
  return { cpuMs, residentMb }
}

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [user, system, endedUser, endedSystem] = fields.slice(11, 15).map(Number)
    return {
      parent: Number(fields[1]),
      cpuMs: (user + system + endedUser + endedSystem) * TICK_MS,
      residentMb: (Number(fields[21]) * PAGE_BYTES) / BYTES_PER_MB,
    }
  } catch {
    return null
  }
}

/** A process and all that it has started. */
export const processesOf = (pid) => withChildren([pid])

function withChildren(roots) {
  const children = new Map()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? statOf(pid) : null
    if (stat === null) continue
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), pid])
  }
  const found = []
  const open = roots.filter((pid) => pid !== null && pid !== undefined)
  while (open.length > 0) {
    const pid = open.pop()
    found.push(pid)
    open.push(...(children.get(pid) ?? []))
  }
  return found
}
