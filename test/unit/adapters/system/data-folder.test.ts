import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  FolderTaken,
  LOCK_WAIT_MS,
  readOrMakeMasterKey,
  takeDataFolder,
} from '../../../../src/adapters/system/data-folder.ts'

let folder = ''
const children: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assent-folder-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

const lockPath = () => join(folder, 'assent.lock')
const holderNow = async () => JSON.parse(await readFile(lockPath(), 'utf8')) as object
const heldBy = (pid: number, startedAt: string) =>
  writeFile(lockPath(), JSON.stringify({ pid, startedAt }))

/** When a process started, as the kernel counts. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function living(): Promise<number> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  children.push(child)
  await once(child, 'spawn')
  return child.pid ?? 0
}

async function dead(): Promise<number> {
  const child = spawn('true', { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid ?? 0
}

/** A process that has ended and whose parent does not care. */
async function zombie(): Promise<number> {
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  children.push(parent)
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  const status = (of: number) => readFile(`/proc/${of}/stat`, 'latin1')
  // The shell would collect its child; what it turns into does not.
  while (!(await status(parent.pid ?? 0)).includes('(sleep)')) await new Promise(setImmediate)
  process.kill(pid, 'SIGKILL')
  while (!/\) Z /.test(await status(pid))) await new Promise(setImmediate)
  return pid
}

describe('the data folder', () => {
  it('is made where it does not exist, for its owner only', async () => {
    const path = join(folder, 'deep', 'er')
    const taken = await takeDataFolder(path)
    expect(taken).toMatchObject({ path, databasePath: join(path, 'postgres') })
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    await taken.release()
  })

  it('is free again after its release, and nothing is left behind', async () => {
    const first = await takeDataFolder(folder)
    expect(await holderNow()).toMatchObject({
      pid: process.pid,
      startedAt: await startOf(process.pid),
    })
    await first.release()
    expect(await readdir(folder)).toEqual([])
    await first.release()
    const second = await takeDataFolder(folder, 0)
    await second.release()
  })

  it('is refused to a second taker, within the time that it waits, with the holder named', async () => {
    const pid = await living()
    await heldBy(pid, await startOf(pid))
    const startedAt = process.hrtime.bigint()
    const taking = takeDataFolder(folder)
    await expect(taking).rejects.toThrow(FolderTaken)
    await expect(taking).rejects.toThrow(
      `${folder} is in use by process ${pid}. One process at a time can have it`,
    )
    const tookMs = Number((process.hrtime.bigint() - startedAt) / 1_000_000n)
    expect(tookMs).toBeGreaterThanOrEqual(LOCK_WAIT_MS - 100)
    expect(tookMs).toBeLessThan(LOCK_WAIT_MS + 5_000)
    expect(await holderNow()).toMatchObject({ pid })
  })

  it('is given to a second taker when the holder goes while it waits', async () => {
    const first = await takeDataFolder(folder)
    const taking = takeDataFolder(folder, 60_000)
    await first.release()
    const second = await taking
    await second.release()
  })

  it('is refused to a second taker of the same process, too', async () => {
    const first = await takeDataFolder(folder)
    await expect(takeDataFolder(folder, 0)).rejects.toThrow(FolderTaken)
    await first.release()
  })

  it.each([
    ['is dead', dead, '1'],
    ['is dead and never told its start', dead, ''],
    ['is a zombie', zombie, 'its own'],
    ['is a zombie and never told its start', zombie, ''],
    ['has the id of another process that started at another time', living, '1'],
  ])('is taken from a holder that %s', async (_, holder, startedAt) => {
    const pid = await holder()
    await heldBy(pid, startedAt === 'its own' ? await startOf(pid) : startedAt)
    const taken = await takeDataFolder(folder, 0)
    expect(await holderNow()).toMatchObject({ pid: process.pid })
    await taken.release()
    expect(await readdir(folder)).toEqual([])
  })

  it.each(['', '{', 'null', '[]', '{"pid":"7","startedAt":"1"}', '{"pid":7}'])(
    'is taken from a lock file that names nobody: %s',
    async (text) => {
      await writeFile(lockPath(), text)
      const taken = await takeDataFolder(folder, 0)
      expect(await holderNow()).toMatchObject({ pid: process.pid })
      await taken.release()
    },
  )

  it('is not taken from a living holder whose start nobody knows', async () => {
    await heldBy(await living(), '')
    await expect(takeDataFolder(folder, 0)).rejects.toThrow(FolderTaken)
  })

  it('of another container is taken by how long ago its holder was heard, never by its process id', async () => {
    const pid = await dead()
    const elsewhere = JSON.stringify({
      pid,
      startedAt: '1',
      world: 'another boot, another namespace',
    })
    await writeFile(lockPath(), elsewhere)
    await expect(takeDataFolder(folder, 0)).rejects.toBeInstanceOf(FolderTaken)
    const longAgo = new Date(Date.now() - 31_000)
    await utimes(lockPath(), longAgo, longAgo)
    const taken = await takeDataFolder(folder, 0)
    await taken.release()
  })

  it('is given to exactly one of many who come at a time, with or without a stale lock', async () => {
    for (let round = 0; round < 8; round++) {
      const path = join(folder, String(round))
      const before = await takeDataFolder(path)
      if (round % 2 === 0) await before.release()
      else await writeFile(join(path, 'assent.lock'), '{"pid":1,"startedAt":"0"}')
      const takers = Array.from({ length: 8 }, () => takeDataFolder(path, 300))
      const results = await Promise.allSettled(takers)
      const winners = results.filter(({ status }) => status === 'fulfilled')
      expect(winners).toHaveLength(1)
      const reasons = results.flatMap((one) =>
        one.status === 'rejected' ? [one.reason as unknown] : [],
      )
      for (const reason of reasons) expect(reason).toBeInstanceOf(FolderTaken)
    }
  })

  it('goes on where somebody died while replacing a lock', async () => {
    await heldBy(await dead(), '1')
    const guard = join(folder, 'assent.lock.replacing')
    await mkdir(guard)
    await utimes(guard, new Date(0), new Date(0))
    const taken = await takeDataFolder(folder, 0)
    await taken.release()
    expect(await readdir(folder)).toEqual([])
  })
})

describe('the master key in the data folder', () => {
  it('is made once, for its owner only, and read again after that', async () => {
    const first = await readOrMakeMasterKey(folder)
    expect(first).toHaveLength(32)
    expect(await readOrMakeMasterKey(folder)).toEqual(first)
    expect((await stat(join(folder, 'master.key'))).mode & 0o777).toBe(0o600)
  })

  it('is the same for all who make it at a time', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => readOrMakeMasterKey(folder)))
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1)
  })

  it.each(['', 'short', Buffer.alloc(31).toString('base64'), Buffer.alloc(33).toString('base64')])(
    'is refused when it is not 32 bytes: "%s"',
    async (text) => {
      await writeFile(join(folder, 'master.key'), text)
      await expect(readOrMakeMasterKey(folder)).rejects.toThrow('does not hold 32 bytes in base64')
    },
  )
})
