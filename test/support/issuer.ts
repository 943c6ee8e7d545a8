/** An issuer of tokens, with its keys where the gateway fetches them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const ISSUER = 'https://issuer.test'

export type Issuer = {
  readonly environment: Record<string, string>
  /** A token of somebody who may do everything in an account. */
  readonly keyOf: (account: string) => Promise<string>
  readonly close: () => Promise<void>
}

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }]
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    environment: {
      ASSENT_JWT_ISSUER: ISSUER,
      ASSENT_JWT_AUDIENCE: 'assent',
      ASSENT_JWKS_URL: `http://127.0.0.1:${port}/jwks`,
    },
    keyOf: (account) =>
      new SignJWT({ account, scope: 'approve read manage admin' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(ISSUER)
        .setAudience('assent')
        .setSubject('somebody')
        .setIssuedAt()
        .setExpirationTime('1h')
        .sign(privateKey),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
