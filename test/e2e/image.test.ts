/**
 * The image, without an engine to build it: its Dockerfile is read, what the last stage copies is laid out in
 * a folder, and the command is run there as the image would run it.
 */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

type Instruction = { readonly name: string; readonly text: string }

/** Instructions of a Dockerfile, continued lines joined. */
function instructionsOf(dockerfile: string): Instruction[] {
  const lines = dockerfile.split('\n').filter((line) => !/^\s*#/.test(line))
  const joined = lines.join('\n').replaceAll(/\\\n\s*/g, ' ')
  return joined.split('\n').flatMap((line) => {
    const [, name, text = ''] = /^\s*([A-Z]+)\s+(.*?)\s*$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, text }]
  })
}

const instructions = instructionsOf(read('Dockerfile'))
const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
const textsOf = (name: string) =>
  lastStage.filter((one) => one.name === name).map(({ text }) => text)
const lastOf = (name: string) => textsOf(name).at(-1) ?? ''

const environment = Object.fromEntries(
  textsOf('ENV').flatMap((text) => [...text.matchAll(/(\w+)=(\S+)/g)].map(([, k, v]) => [k, v])),
)

describe('the image', () => {
  it('is made without downloads by ADD, and the packages in it without any script of theirs', () => {
    expect(instructions.filter(({ name }) => name === 'ADD')).toEqual([])
    const installs = instructions.filter(({ name, text }) => name === 'RUN' && /npm/.test(text))
    const shipped = installs.filter(({ text }) => text.includes('--omit=dev'))
    expect(shipped).toEqual([{ name: 'RUN', text: 'npm ci --omit=dev --ignore-scripts' }])
    expect(
      installs.filter(({ text }) => /npm (ci|i|install)\b(?!.*--ignore-scripts)/.test(text)),
    ).toEqual([])
    expect(textsOf('COPY').filter((text) => text.includes('node_modules'))).toEqual([
      '--from=packages /app/node_modules ./node_modules',
    ])
  })

  it('runs node itself, not as root, on a data folder of its own', () => {
    expect(lastOf('USER')).toBe('node')
    expect(lastOf('ENTRYPOINT')).toBe('[]')
    const [program, ...rest] = JSON.parse(lastOf('CMD'))
    expect(program).toBe('node')
    expect(rest.at(-1)).toBe('dist/main.js')
    expect(lastOf('VOLUME')).toBe('/data')
    expect(lastOf('RUN')).toContain('chown node:node /data')
    expect(environment).toMatchObject({ HOST: '0.0.0.0', ASSENT_DATA_DIR: '/data' })
  })

  it('carries the version of the package, as compose.yaml and CHANGELOG.md do', () => {
    const { version } = JSON.parse(read('package.json'))
    expect(lastOf('ARG')).toBe(`VERSION=${version}`)
    expect(read('compose.yaml')).toContain(`image: assent:${version}\n`)
    expect(read('CHANGELOG.md')).toContain(`## [${version}]`)
  })

  it('takes only what is listed out of the folder that it is built from', () => {
    const [everything, ...listed] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(everything).toBe('*')
    const copied = instructions
      .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'))
      .flatMap(({ text }) => text.split(' ').slice(0, -1))
    expect(listed.sort()).toEqual([...new Set(copied)].map((path) => `!${path}`).sort())
  })

  it('is not started by compose.yaml without each of its secrets', () => {
    const text = read('compose.yaml')
    for (const name of ['POSTGRES_PASSWORD', 'ASSENT_MASTER_KEY', 'ASSENT_ADMIN_KEY']) {
      const uses = text.match(new RegExp(`\\$\\{${name}[^}]*\\}`, 'g')) ?? []
      expect(uses.length, name).toBeGreaterThan(0)
      expect(uses.filter((use) => !use.startsWith(`\${${name}:?set it to`))).toEqual([])
    }
    expect(text).toContain('image: postgres:17\n')
    expect(text.match(/^ {4}healthcheck:$/gm)).toHaveLength(2)
    expect(text).toContain('condition: service_healthy')
  })
})

/** The production packages, as `npm ci --omit=dev` would lay them out. */
function copyPackages(to: string): void {
  const { packages } = JSON.parse(read('package-lock.json'))
  for (const [path, { dev, devOptional }] of Object.entries<any>(packages)) {
    if (path === '' || dev || devOptional || !existsSync(join(root, path))) continue
    cpSync(join(root, path), join(to, path), { recursive: true })
  }
}

/** Copies into a folder what the last stage copies into the image. */
function layOut(to: string): void {
  for (const text of textsOf('COPY')) {
    const words = text.split(' ').filter((word) => !word.startsWith('--'))
    const target = words.pop() ?? ''
    for (const word of words) {
      const path = word.replace(/^\/app\//, '')
      if (path === 'node_modules') copyPackages(to)
      else cpSync(join(root, path), join(to, target === './' ? path : target), { recursive: true })
    }
  }
}

describe('what the image holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assent-image-'))
  const app = join(folder, 'app')
  let gateway: ChildProcessByStdio<null, Readable, null>
  let url = ''

  beforeAll(async () => {
    execFileSync(process.execPath, [join(root, 'tools/build.mjs')], { stdio: 'inherit' })
    mkdirSync(app)
    layOut(app)
    const [, ...command] = JSON.parse(lastOf('CMD'))
    const place = { HOST: '127.0.0.1', PORT: '0', ASSENT_DATA_DIR: join(folder, 'data') }
    gateway = spawn(process.execPath, command, {
      cwd: app,
      env: { PATH: process.env['PATH'], ...environment, ...place },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    for await (const line of createInterface(gateway.stdout)) {
      url = /^Assent listens on (\S+)$/.exec(line)?.[1] ?? ''
      if (url !== '') break
    }
  })

  afterAll(async () => {
    if (gateway.exitCode === null) {
      const ended = once(gateway, 'exit')
      gateway.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  })

  it('starts, migrates its database and is ready', async () => {
    const response = await fetch(`${url}/readyz`)
    expect(await response.json()).toMatchObject({ status: 'ready' })
    expect(response.status).toBe(200)
  })

  it('has no development packages in it', () => {
    const names = readdirSync(join(app, 'node_modules'))
    expect(names).toContain('hono')
    for (const name of ['typescript', 'vitest', '@biomejs', 'oxlint']) {
      expect(names).not.toContain(name)
    }
  })

  it('is found well by the health check, and not when nobody answers', async () => {
    const [program, ...check] = JSON.parse(lastOf('HEALTHCHECK').replace(/^.*?CMD /, ''))
    expect(program).toBe('node')
    const run = async (port: string) => {
      const child = spawn(process.execPath, check, { env: { PORT: port }, stdio: 'inherit' })
      const [code] = await once(child, 'exit')
      return code
    }
    expect(await run(new URL(url).port)).toBe(0)
    expect(await run('1')).toBe(1)
  })

  it('ends with 0 when it is asked to', async () => {
    const ended = once(gateway, 'exit')
    gateway.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})
