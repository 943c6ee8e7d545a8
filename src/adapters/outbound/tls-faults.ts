/**
 * Whether TLS could be spoken with these settings: said when they are saved, since afterwards every call
 * would fail and nobody would know why. That a certificate has run out is a complaint about what is sent,
 * not about what was stored: a subscription whose certificate has run out must still be switched off.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Complaint } from '../../domain/problem.ts'
import type { TlsSettings } from '../../domain/subscription.ts'

/** More is a bundle of the whole world's authorities, which is what leaving it out means. */
const CERTIFICATES_MAX = 20

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

type Chain = { readonly certificates: readonly X509Certificate[] } | { readonly fault: string }

export function tlsFaults(tls: TlsSettings, nowMs: number): Complaint[] {
  if (tls.ca === undefined && tls.cert === undefined && tls.key === undefined) {
    return [{ pointer: '/tls', message: 'Give a ca, or a cert with its key, or all three.' }]
  }
  const complaints = [
    ...chainFaults('/tls/ca', tls.ca, nowMs),
    ...chainFaults('/tls/cert', tls.cert, nowMs),
    ...keyFaults(tls),
  ]
  return complaints.length > 0 ? complaints : wholeFaults(tls)
}

function chainFaults(pointer: string, pem: string | undefined, nowMs: number): Complaint[] {
  if (pem === undefined) return []
  const chain = chainOf(pem)
  if ('fault' in chain) return [{ pointer, message: chain.fault }]
  const [stale] = chain.certificates.filter(({ validTo }) => Date.parse(validTo) <= nowMs)
  if (stale === undefined) return []
  return [{ pointer, message: `A certificate of it ran out on ${stale.validTo}.` }]
}

function chainOf(pem: string): Chain {
  const texts = pem.match(CERTIFICATE) ?? []
  if (texts.length === 0) return { fault: 'This is no certificate in PEM.' }
  if (texts.length > CERTIFICATES_MAX) {
    return { fault: `At most ${CERTIFICATES_MAX} certificates.` }
  }
  // A key that was pasted along would be stored and shown as if it were public.
  if (pem.replace(CERTIFICATE, '').includes('-----')) {
    return { fault: 'This holds something else beside certificates.' }
  }
  try {
    return { certificates: texts.map((text) => new X509Certificate(text)) }
  } catch {
    return { fault: 'A certificate in it cannot be read.' }
  }
}

function keyFaults({ cert, key }: TlsSettings): Complaint[] {
  if (cert === undefined && key === undefined) return []
  if (cert === undefined) return [{ pointer: '/tls/cert', message: 'A key needs its certificate.' }]
  if (key === undefined) return [{ pointer: '/tls/key', message: 'A certificate needs its key.' }]
  const message = keyFault(cert, key)
  return message === null ? [] : [{ pointer: '/tls/key', message }]
}

function keyFault(cert: string, key: string): string | null {
  if (/-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(key)) {
    return 'The key is encrypted; there is nowhere to keep its password.'
  }
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(key)
  } catch {
    return 'This is no private key in PEM.'
  }
  const chain = chainOf(cert)
  // Said at the certificate already.
  if ('fault' in chain) return null
  const fits = chain.certificates[0]?.checkPrivateKey(privateKey) === true
  return fits ? null : 'The key does not belong to the (first) certificate.'
}

/** What only OpenSSL knows, such as that a key is too short for our time. */
function wholeFaults(tls: TlsSettings): Complaint[] {
  try {
    createSecureContext(tls)
    return []
  } catch {
    return [{ pointer: '/tls', message: 'These settings cannot be used for TLS.' }]
  }
}
