/**
 * What is installed with the gateway. The lockfile says what may come, the folder what came: how many
 * packages, under which licences, each with the digest of what it must be, and none that runs a script of its
 * own when it is installed. Each check also proves on a sample that it bites.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readJson } from './support/tidy-checks.ts'

/** With all that they bring along, optional ones included. */
const PRODUCTION_MAX = 40
/** Terms under which all of it may be given on. */
const LICENCES = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'] as const

type Locked = {
  readonly version?: string
  readonly integrity?: string
  readonly license?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
  readonly hasInstallScript?: boolean
}
type Tree = Readonly<Record<string, Locked>>

const packagesOf = (tree: Tree) => Object.entries(tree).filter(([path]) => path !== '')
const productionOf = (tree: Tree) => packagesOf(tree).filter(([, { dev }]) => dev !== true)

/**
 * npm writes no digest of what it did not install: of our tools, the builds for other systems. They are no part
 * of the gateway, and what is installed here has one.
 */
const isToolOfElsewhere = ({ dev, optional, integrity }: Locked) =>
  dev === true && optional === true && integrity === undefined

/** A sha512 of 64 bytes; older digests could be met by something else. */
const DIGEST = /^sha512-[A-Za-z0-9+/]{86}==$/

function treeFaults(tree: Tree): string[] {
  const all = packagesOf(tree)
  const production = productionOf(tree)
  const few = production.length <= PRODUCTION_MAX
  return [
    ...(few ? [] : [`${production.length} packages in production`]),
    ...all.filter(([, one]) => one.link === true).map(([path]) => `${path} is a link`),
    ...all
      .filter(([, one]) => !isToolOfElsewhere(one))
      .filter(([, { integrity }]) => !DIGEST.test(integrity ?? ''))
      .map(([path]) => `${path} has no digest`),
    ...all
      .filter(([, { resolved }]) => resolved !== undefined)
      .map(([path]) => `${path} names where it comes from`),
    ...production
      .filter(([, one]) => one.hasInstallScript === true)
      .map(([path]) => `${path} runs a script on install`),
    ...production
      .filter(([, { license }]) => !LICENCES.some((allowed) => allowed === license))
      .map(([path, { license }]) => `${path} has the licence ${license}`),
  ]
}

type Manifest = {
  readonly version?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly gypfile?: boolean
}

/** npm runs these, and builds whatever brings a binding.gyp. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'] as const

function installedFaults(
  path: string,
  locked: Locked,
  { manifest, files }: { readonly manifest: Manifest; readonly files: readonly string[] },
): string[] {
  const scripts = INSTALL_SCRIPTS.filter((name) => manifest.scripts?.[name] !== undefined)
  const isBuilt = manifest.gypfile === true || files.includes('binding.gyp')
  return [
    ...scripts.map((name) => `${path} has the script ${name}`),
    ...(isBuilt ? [`${path} is built on install`] : []),
    ...(manifest.version === locked.version ? [] : [`${path} is ${manifest.version}`]),
  ]
}

const LOCK = readJson('package-lock.json') as { readonly packages: Tree }
const ROOT = new URL('..', import.meta.url).pathname

describe('the lockfile', () => {
  it(`holds at most ${PRODUCTION_MAX} packages of production, each with its digest and a licence of the list`, () => {
    expect(productionOf(LOCK.packages).length).toBeGreaterThan(20)
    expect(treeFaults(LOCK.packages)).toEqual([])
  })

  it('that breaks one of these is found', () => {
    const integrity = `sha512-${'A'.repeat(86)}==`
    const good = { version: '1.0.0', integrity, license: 'MIT' }
    expect(treeFaults({ '': {}, 'node_modules/a': good })).toEqual([])
    const many = Array.from({ length: PRODUCTION_MAX + 1 }, (_, at) => [`p${at}`, good] as const)
    expect(treeFaults(Object.fromEntries(many))).toEqual(['41 packages in production'])
    const bad: Tree = {
      a: { ...good, integrity: 'sha1-aaaa' },
      b: { version: '1.0.0', license: 'MIT', dev: true },
      c: { ...good, resolved: 'git+ssh://elsewhere.example/c.git' },
      d: { ...good, hasInstallScript: true },
      e: { ...good, license: 'AGPL-3.0' },
      f: { ...good, license: 'MPL-2.0', dev: true },
      g: { ...good, link: true },
      h: { version: '1.0.0', license: 'MIT', dev: true, optional: true },
      i: { version: '1.0.0', license: 'MIT', optional: true },
    }
    expect(treeFaults(bad)).toEqual([
      'g is a link',
      'a has no digest',
      'b has no digest',
      'i has no digest',
      'c names where it comes from',
      'd runs a script on install',
      'e has the licence AGPL-3.0',
    ])
  })
})

describe('what is installed', () => {
  it('is what the lockfile says, and nothing of production runs or builds anything on install', () => {
    const faults = productionOf(LOCK.packages).flatMap(([path, locked]) => {
      const folder = join(ROOT, path)
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
      const files = existsSync(join(folder, 'binding.gyp')) ? ['binding.gyp'] : []
      return installedFaults(path, locked, { manifest, files })
    })
    expect(faults).toEqual([])
  })

  it('and breaks one of these is found', () => {
    const version = '1.0.0'
    const faultsOf = (manifest: Manifest, files: readonly string[] = []) =>
      installedFaults('p', { version }, { manifest, files })
    expect(faultsOf({ version, scripts: { test: 'x', prepare: 'x' } })).toEqual([])
    expect(faultsOf({ version, scripts: { postinstall: 'x' } })).toEqual([
      'p has the script postinstall',
    ])
    expect(faultsOf({ version }, ['binding.gyp'])).toEqual(['p is built on install'])
    expect(faultsOf({ version: '1.0.1' })).toEqual(['p is 1.0.1'])
  })
})
