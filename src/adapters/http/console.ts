/** The web console: its files, and the session of whoever works in it. */
import { z } from 'zod'
import { Problem } from '../../domain/problem.ts'
import { type Authenticator, BEARER_ONLY } from './authenticate.ts'
import { looksLikeJwt } from './jwt.ts'
import { page, type Readiness } from './operations.ts'
import { type Answer, noContent, ok, type Route, route } from './route.ts'
import { refuseOtherSites, type Sessions } from './session.ts'
import { startPage } from './start-page.ts'

export type ConsoleFile = {
  readonly bytes: Uint8Array
  readonly type: string
  /** Its name changes with what is in it. */
  readonly isImmutable: boolean
}

export type ConsolePorts = {
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'hashOf'>
  readonly sessions: Sessions
  /** By name; the page is `index.html`. Compressed where `gzip` says so. */
  readonly consoleFile: (name: string, gzip: 'gzip' | 'plain') => ConsoleFile | null
  readonly readiness: () => Promise<Readiness>
  readonly version: string
}

const tag = 'Console'
const SESSION = '/console/session'

/** Scripts and styles of ours only; no other site is spoken to, and nothing may frame it. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const signIn = z.strictObject({ key: z.string().min(1).max(4_096) })
const who = z.object({
  accountId: z.string(),
  keyId: z.string(),
  scopes: z.array(z.string()),
  version: z.string(),
})

export function consoleRoutes(ports: ConsolePorts): Route[] {
  return [...fileRoutes(ports), ...sessionRoutes(ports)]
}

function fileRoutes({ consoleFile, version, readiness }: ConsolePorts): Route[] {
  // While the console has not been built.
  const withoutConsole = async () => page(startPage(version, await readiness()))
  const answer = (name: string, encodings: string | undefined): Answer | null => {
    const isZipped = /\bgzip\b/.test(encodings ?? '')
    const file = consoleFile(name, isZipped ? 'gzip' : 'plain')
    if (file === null) return null
    const { bytes, type, isImmutable } = file
    const headers = {
      'content-type': type,
      'content-security-policy': PAGE_POLICY,
      'cache-control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      vary: 'accept-encoding',
      ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
    }
    return { status: 200, bytes, headers }
  }
  return [
    route({
      method: 'GET',
      path: '/console',
      scopes: null,
      tag,
      summary: 'The web console',
      responses: { 200: { description: 'A page.', mediaType: 'text/html' } },
      handle: ({ header }) => answer('index.html', header('accept-encoding')) ?? withoutConsole(),
    }),
    route({
      method: 'GET',
      path: '/console/files/{file}',
      scopes: null,
      tag,
      summary: 'A script or style of the console',
      responses: { 200: { description: 'The file.', mediaType: 'text/javascript' } },
      handle: ({ params: { file = '' }, header }) => {
        const found = answer(`files/${file}`, header('accept-encoding'))
        if (found === null) throw new Problem('not_found', { detail: 'There is no such file.' })
        return found
      },
    }),
  ]
}

function sessionRoutes({ authenticator, sessions, version }: ConsolePorts): Route[] {
  return [
    route({
      method: 'POST',
      path: SESSION,
      scopes: null,
      tag,
      summary:
        'Begin a session of the console with a key; the cookie lasts 30 minutes unused, 8 hours at most',
      body: signIn,
      responses: { 200: { description: 'Who signed in; the cookie is set.', schema: who } },
      handle: async ({ body: { key }, header }) => {
        refuseOtherSites(header, 'POST')
        if (looksLikeJwt(key)) {
          throw new Problem('unauthenticated', { detail: 'Sign in with an API key.' })
        }
        const { accountId, keyId, scopes } = await authenticator.authenticate(
          `Bearer ${key}`,
          BEARER_ONLY,
        )
        const cookie = sessions.begin(authenticator.hashOf(key), header)
        const json = { accountId, keyId, scopes: [...scopes], version }
        return { status: 200, json, cookies: [cookie] }
      },
    }),
    route({
      method: 'GET',
      path: SESSION,
      renewsSession: true,
      scopes: ['read', 'approve', 'manage'],
      tag,
      summary: 'Who has signed in; keeps the session going',
      responses: { 200: { description: 'Who.', schema: who } },
      handle: ({ caller: { accountId, keyId, scopes } }) =>
        ok({ accountId, keyId, scopes: [...scopes], version }),
    }),
    route({
      method: 'DELETE',
      path: SESSION,
      scopes: null,
      tag,
      summary: 'End the session of the console',
      responses: { 204: { description: 'The cookie is gone.' } },
      handle: ({ header }) => {
        refuseOtherSites(header, 'DELETE')
        return { ...noContent, cookies: sessions.end() }
      },
    }),
  ]
}
