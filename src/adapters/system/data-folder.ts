/**
 * The folder that holds the embedded database and what belongs to it. One process at a time may have it:
 * two would each write over what the other committed, and neither would notice.
 *
 * The lock file names its holder by process id and start time, because ids are given out again. A holder
 * that is dead or a zombie is replaced; one that lives is waited for a moment (it may be on its way out)
 * and then reported. A folder made with mkdir, which only one process can win, guards the replacing.
 */

import { randomBytes } from 'node:crypto'
import {
  link,
  mkdir,
  readFile,
  readlink,
  rmdir,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MASTER_KEY_BYTES } from './master-key.ts'

export const LOCK_WAIT_MS = 2_000
const LOCK_LOOK_MS = 100
/** A replacing that was left behind by a crash, and not one that is under way. */
const GUARD_STALE_MS = 10_000

export class FolderTaken extends Error {
  constructor(folder: string, pid: number) {
    super(
      `The data folder ${folder} is in use by process ${pid}. One process at a time can have it: stop that one, or set ASSENT_DATA_DIR to another folder.`,
    )
    this.name = 'FolderTaken'
  }
}

export type DataFolder = {
  readonly path: string
  readonly databasePath: string
  release(): Promise<void>
}

type Holder = {
  readonly pid: number
  readonly startedAt: string
  /** Boot and process namespace: a process id means something only within both. */
  readonly world: string
}

/** The holder touches its lock this often; one from another container is judged by that alone. */
const HEARTBEAT_MS = 5_000
const HEARTBEAT_LOST_MS = 30_000

export async function takeDataFolder(
  folder: string,
  waitMs: number = LOCK_WAIT_MS,
): Promise<DataFolder> {
  const path = resolve(folder)
  await mkdir(path, { recursive: true, mode: 0o700 })
  const lock = join(path, 'assent.lock')
  const me: Holder = {
    pid: process.pid,
    startedAt: await startOf(process.pid),
    world: await worldOfProcesses(),
  }
  for (let waited = 0; ; waited += LOCK_LOOK_MS) {
    if (await create(lock, me)) break
    const holder = await readHolder(lock)
    if (holder === 'gone') continue
    if (holder !== null && (await isAlive(holder, me, lock))) {
      if (waited >= waitMs) throw new FolderTaken(path, holder.pid)
    } else {
      await removeStale(lock, me)
    }
    await sleep(LOCK_LOOK_MS)
  }
  const heartbeat = setInterval(() => void touch(lock), HEARTBEAT_MS)
  heartbeat.unref()
  return {
    path,
    databasePath: join(path, 'postgres'),
    release: () => {
      clearInterval(heartbeat)
      return unlink(lock).catch(() => {})
    },
  }
}

/** Whole from its first moment: a lock file that is still empty would look like one whose maker died. */
async function create(lock: string, me: Holder): Promise<boolean> {
  const draft = `${lock}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, JSON.stringify(me), { flag: 'wx', mode: 0o600 })
  try {
    await link(draft, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await unlink(draft)
  }
}

/** `gone` when there is no file, null for one that names nobody. */
async function readHolder(lock: string): Promise<Holder | 'gone' | null> {
  let text: string
  try {
    text = await readFile(lock, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone'
    throw error
  }
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null
    if (typeof holder?.pid !== 'number' || typeof holder.startedAt !== 'string') return null
    return { pid: holder.pid, startedAt: holder.startedAt, world: holder.world ?? '' }
  } catch {
    return null
  }
}

async function isAlive(holder: Holder, me: Holder, lock: string): Promise<boolean> {
  const { pid, startedAt, world } = holder
  if (world !== '' && me.world !== '' && world !== me.world) return isBeating(lock)
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = await startOf(pid)
  return now !== 'zombie' && (now === '' || startedAt === '' || now === startedAt)
}

/** Another container, or this machine before it was started again: its process ids say nothing here. */
async function isBeating(lock: string): Promise<boolean> {
  const touched = await stat(lock).catch(() => null)
  return touched !== null && Date.now() - touched.mtimeMs < HEARTBEAT_LOST_MS
}

async function touch(lock: string): Promise<void> {
  const now = new Date()
  await utimes(lock, now, now).catch(() => {})
}

/** Empty where there is no /proc. */
async function worldOfProcesses(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}

/** When a process started, in the kernel's own count; empty where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold anything; what follows the last bracket is numbered from field 3.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'zombie' : (fields[19] ?? '')
  } catch {
    return ''
  }
}

async function removeStale(lock: string, me: Holder): Promise<void> {
  const guard = `${lock}.replacing`
  try {
    await mkdir(guard)
  } catch {
    const made = await stat(guard).catch(() => null)
    if (made !== null && Date.now() - made.mtimeMs > GUARD_STALE_MS)
      await rmdir(guard).catch(() => {})
    return
  }
  try {
    // Somebody may have replaced it between our look and our turn.
    const holder = await readHolder(lock)
    if (holder === 'gone') return
    if (holder === null || !(await isAlive(holder, me, lock))) await unlink(lock).catch(() => {})
  } finally {
    await rmdir(guard).catch(() => {})
  }
}

/** The master key kept in the folder; made on the first start. */
export async function readOrMakeMasterKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, 'master.key')
  try {
    await writeFile(path, randomBytes(MASTER_KEY_BYTES).toString('base64'), {
      flag: 'wx',
      mode: 0o600,
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const bytes = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64')
  if (bytes.length === MASTER_KEY_BYTES) return bytes
  throw new Error(`${path} does not hold ${MASTER_KEY_BYTES} bytes in base64.`)
}
