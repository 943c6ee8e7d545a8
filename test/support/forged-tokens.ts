/**
 * Tokens that must not be accepted, each with a name: what is wrong with it. Made by hand, part by part, because
 * no library would make them. The issuer is ours, with keys of its own; the stranger knows all that is public.
 */
import {
  constants,
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
} from 'node:crypto'

export const NOW_SECONDS = 1_700_000_000
export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'assent'

const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'somebody',
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 60,
  account: 'acme',
  scope: 'approve read',
} as const

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
const ec = (namedCurve: string): Pair => generateKeyPairSync('ec', { namedCurve })
const rsa = (modulusLength: number): Pair => generateKeyPairSync('rsa', { modulusLength })

const ours = { es: ec('P-256'), rsa: rsa(2_048), ed: generateKeyPairSync('ed25519') } as const
const theirs = { es: ec('P-256'), rsa: rsa(2_048), ed: generateKeyPairSync('ed25519') } as const
/** In the issuer's set, and good for nothing. */
const odd = {
  p384: ec('P-384'),
  p521: ec('P-521'),
  k1: ec('secp256k1'),
  ed448: generateKeyPairSync('ed448'),
  short: rsa(1_024),
  encrypting: ec('P-256'),
  signing: ec('P-256'),
  private: ec('P-256'),
  otherwise: ec('P-256'),
} as const
const SHARED = 'a secret that somebody put into a public set'

const jwkOf = ({ publicKey }: Pair, more: object): object => ({
  ...publicKey.export({ format: 'jwk' }),
  ...more,
})

/** What the issuer publishes. */
export const KEY_SET: readonly object[] = [
  jwkOf(ours.es, { kid: 'es', alg: 'ES256' }),
  jwkOf(ours.rsa, { kid: 'rsa' }),
  jwkOf(ours.ed, { kid: 'ed', alg: 'EdDSA', use: 'sig' }),
  jwkOf(odd.p384, { kid: 'p384' }),
  jwkOf(odd.p521, { kid: 'p521' }),
  jwkOf(odd.k1, { kid: 'k1' }),
  jwkOf(odd.ed448, { kid: 'ed448' }),
  jwkOf(odd.short, { kid: 'short' }),
  jwkOf(odd.encrypting, { kid: 'encrypting', use: 'enc' }),
  jwkOf(odd.signing, { kid: 'signing', key_ops: ['sign'] }),
  { ...odd.private.privateKey.export({ format: 'jwk' }), kid: 'private' },
  jwkOf(odd.otherwise, { kid: 'otherwise', alg: 'ES384' }),
  { kty: 'oct', k: Buffer.from(SHARED).toString('base64url'), kid: 'oct', alg: 'HS256' },
]

const encode = (part: string | Uint8Array | object): string =>
  (typeof part === 'string' || part instanceof Uint8Array
    ? Buffer.from(part)
    : Buffer.from(JSON.stringify(part))
  ).toString('base64url')

type Signer = (input: string) => Buffer
const by = {
  es:
    ({ privateKey }: Pair, digest = 'sha256'): Signer =>
    (input) =>
      signBytes(digest, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  rs:
    ({ privateKey }: Pair, digest = 'sha256'): Signer =>
    (input) =>
      signBytes(digest, Buffer.from(input), privateKey),
  ps:
    ({ privateKey }: Pair, digest = 'sha256'): Signer =>
    (input) => {
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
      const padding = constants.RSA_PKCS1_PSS_PADDING
      return signBytes(digest, Buffer.from(input), { key: privateKey, padding, saltLength })
    },
  ed:
    ({ privateKey }: Pair): Signer =>
    (input) =>
      signBytes(null, Buffer.from(input), privateKey),
  hs:
    (secret: string | Buffer, digest = 'sha256'): Signer =>
    (input) =>
      createHmac(digest, secret).update(input).digest(),
} as const

/** A part that is a text or bytes is used as it is. */
function token(
  header: string | object,
  payload: string | Uint8Array | object = CLAIMS,
  signer: Signer = by.es(ours.es),
): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signer(input).toString('base64url')}`
}

const ES = { alg: 'ES256', kid: 'es' } as const
const GENUINE = token(ES)
const [HEADER = '', PAYLOAD = '', SIGNATURE = ''] = GENUINE.split('.')

/** The same caller, in every form that is right. */
export const GENUINE_TOKENS: Readonly<Record<string, string>> = {
  'of ES256': GENUINE,
  'of RS256': token({ alg: 'RS256', kid: 'rsa' }, CLAIMS, by.rs(ours.rsa)),
  'of PS256': token({ alg: 'PS256', kid: 'rsa' }, CLAIMS, by.ps(ours.rsa)),
  'of EdDSA': token({ alg: 'EdDSA', kid: 'ed' }, CLAIMS, by.ed(ours.ed)),
  'without kid': token({ alg: 'EdDSA' }, CLAIMS, by.ed(ours.ed)),
  'for several': token(ES, { ...CLAIMS, aud: ['other', AUDIENCE] }),
  'with nbf now': token(ES, { ...CLAIMS, nbf: NOW_SECONDS }),
  'over within the tolerance': token(ES, { ...CLAIMS, exp: NOW_SECONDS - 29 }),
  'with a list of scopes': token(ES, { ...CLAIMS, scope: ['read', 'approve', 7] }),
  'with headers that are not read': token({
    ...ES,
    typ: 'at+jwt',
    jku: 'https://issuer.example/other',
    x5u: 'https://issuer.example/x5u',
    jwk: jwkOf(theirs.es, {}),
    x5c: ['AAAA'],
  }),
}

type Named = readonly [name: string, token: string]

const say = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? 'undefined'

function* algorithms(): Iterable<Named> {
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    for (const kid of ['es', undefined]) {
      const input = `${encode({ alg, kid })}.${PAYLOAD}`
      yield [`alg ${say(alg)}, no signature, kid ${kid}`, `${input}.`]
      yield [`alg ${say(alg)}, the genuine signature, kid ${kid}`, `${input}.${SIGNATURE}`]
    }
  }
  const publicTexts: Readonly<Record<string, string | Buffer>> = {
    'PEM of es': ours.es.publicKey.export({ type: 'spki', format: 'pem' }),
    'PEM of rsa': ours.rsa.publicKey.export({ type: 'spki', format: 'pem' }),
    'PKCS1 PEM of rsa': ours.rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }),
    'trimmed PEM of rsa': String(ours.rsa.publicKey.export({ type: 'spki', format: 'pem' })).trim(),
    'DER of rsa': ours.rsa.publicKey.export({ type: 'spki', format: 'der' }),
    'JWK of es': JSON.stringify(KEY_SET[0]),
    'modulus of rsa': String(ours.rsa.publicKey.export({ format: 'jwk' })['n']),
    'the empty secret': '',
    'the shared secret of the set': SHARED,
  }
  for (const [name, secret] of Object.entries(publicTexts)) {
    for (const [alg, digest] of [
      ['HS256', 'sha256'],
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ] as const) {
      const kid = name.includes('shared') ? 'oct' : name.includes('es') ? 'es' : 'rsa'
      yield [`${alg} with ${name}`, token({ alg, kid }, CLAIMS, by.hs(secret, digest))]
    }
  }
  for (const digest of ['sha384', 'sha512'] as const) {
    const bits = digest.slice(3)
    const rs = { alg: `RS${bits}`, kid: 'rsa' }
    yield [`RS${bits} of ours`, token(rs, CLAIMS, by.rs(ours.rsa, digest))]
    const ps = { alg: `PS${bits}`, kid: 'rsa' }
    yield [`PS${bits} of ours`, token(ps, CLAIMS, by.ps(ours.rsa, digest))]
  }
  const others = [
    'ES384',
    'ES512',
    'ES256K',
    'RS1',
    'dir',
    'A256GCM',
    'RSA-OAEP',
    'Ed448',
    'Ed25519',
  ]
  const odd = ['es256', 'ES256 ', ' ES256', 'ES256\0', 7, null, true, {}, [], ['ES256'], undefined]
  for (const alg of [...others, ...odd]) yield [`alg ${say(alg)}`, token({ alg, kid: 'es' })]
  yield ['RS256 that is PSS', token({ alg: 'RS256', kid: 'rsa' }, CLAIMS, by.ps(ours.rsa))]
  yield ['PS256 that is PKCS1', token({ alg: 'PS256', kid: 'rsa' }, CLAIMS, by.rs(ours.rsa))]
}

function* keys(): Iterable<Named> {
  const own = { es: by.es(ours.es), rsa: by.rs(ours.rsa), ed: by.ed(ours.ed) } as const
  const fitting: Readonly<Record<string, string>> = {
    ES256: 'es',
    RS256: 'rsa',
    PS256: 'rsa',
    EdDSA: 'ed',
  }
  for (const [alg, right] of Object.entries(fitting)) {
    for (const [kid, signer] of Object.entries(own)) {
      if (kid !== right) yield [`${alg} with the key ${kid}`, token({ alg, kid }, CLAIMS, signer)]
    }
  }
  for (const [kid, pair] of Object.entries(odd)) {
    const signer = kid === 'short' ? by.rs(pair) : kid === 'ed448' ? by.ed(pair) : by.es(pair)
    const algs = kid === 'short' ? ['RS256', 'PS256'] : kid === 'ed448' ? ['EdDSA'] : ['ES256']
    for (const alg of algs)
      yield [`${alg} with the key ${kid}`, token({ alg, kid }, CLAIMS, signer)]
  }
  const strange = { es: by.es(theirs.es), rsa: by.rs(theirs.rsa), ed: by.ed(theirs.ed) } as const
  for (const [kind, signer] of Object.entries(strange) as [keyof typeof strange, Signer][]) {
    const alg = { es: 'ES256', rsa: 'RS256', ed: 'EdDSA' }[kind]
    const jwk = jwkOf(theirs[kind], { kid: kind, alg })
    const brought: Readonly<Record<string, object>> = {
      nothing: {},
      jwk: { jwk },
      jku: { jku: 'https://stranger.example/jwks' },
      x5u: { x5u: 'https://stranger.example/chain' },
      x5c: {
        x5c: [theirs[kind].publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
      },
    }
    for (const [name, header] of Object.entries(brought)) {
      for (const kid of [kind, 'stranger', undefined]) {
        yield [
          `${alg} of a stranger, kid ${kid}, with ${name}`,
          token({ alg, kid, ...header }, CLAIMS, signer),
        ]
      }
    }
  }
  const paths = [
    '../../../../dev/null',
    '/dev/null',
    'file:///dev/null',
    'https://stranger.example/k',
    '%2e%2e',
  ]
  const tricks = [
    "es' or '1'='1",
    "'; drop table keys; --",
    'es\0',
    'ES',
    ' es',
    'es ',
    '',
    '*',
    'k'.repeat(3_000),
  ]
  const names = ['__proto__', 'constructor', 'toString', '0', 'undefined']
  for (const kid of [...paths, ...tricks, ...names, 0, null, true, {}, [], ['es'], { kid: 'es' }]) {
    yield [`kid ${say(kid)}, signed by us`, token({ alg: 'ES256', kid })]
    yield [`kid ${say(kid)}, by a stranger`, token({ alg: 'ES256', kid }, CLAIMS, by.es(theirs.es))]
  }
}

function* signatures(): Iterable<Named> {
  const input = `${HEADER}.${PAYLOAD}`
  const bytes = Buffer.from(SIGNATURE, 'base64url')
  const as = (changed: Uint8Array): string =>
    `${input}.${Buffer.from(changed).toString('base64url')}`
  for (const at of [0, 1, 15, 31, 32, 33, 47, 62, 63]) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ 1
    yield [`a bit of the signature changed at ${at}`, as(flipped)]
  }
  yield ['no signature', `${input}.`]
  yield ['half a signature', as(bytes.subarray(0, 32))]
  yield ['a signature that is a byte short', as(bytes.subarray(0, 63))]
  yield ['a signature that is a byte longer', as(Buffer.concat([bytes, Buffer.of(0)]))]
  yield ['a signature of zeros', as(Buffer.alloc(64))]
  yield ['a signature of ones', as(Buffer.alloc(64, 255))]
  const der = signBytes('sha256', Buffer.from(input), ours.es.privateKey)
  yield ['a signature in DER', as(der)]
  yield [
    'the signature of another token',
    `${input}.${token(ES, { ...CLAIMS, jti: '2' }).split('.')[2]}`,
  ]
  yield [
    'another account under the signature',
    `${HEADER}.${encode({ ...CLAIMS, account: 'other' })}.${SIGNATURE}`,
  ]
  yield ['another header over the signature', `${encode({ ...ES, x: 1 })}.${PAYLOAD}.${SIGNATURE}`]
  yield [
    'a signature over the claims only',
    `${input}.${by.es(ours.es)(PAYLOAD).toString('base64url')}`,
  ]
}

function* headers(): Iterable<Named> {
  const crits = [
    ['exp'],
    ['unknown'],
    ['alg'],
    ['kid'],
    [],
    [null],
    [7],
    'exp',
    {},
    true,
    null,
    ['b64', 'x'],
  ]
  for (const crit of crits)
    yield [`crit ${say(crit)}`, token({ ...ES, crit, exp: 1, x: 1, unknown: 1 })]
  const unencoded = `${encode({ ...ES, b64: false, crit: ['b64'] })}.${JSON.stringify(CLAIMS)}`
  const signature = by.es(ours.es)(unencoded).toString('base64url')
  yield ['claims that are not encoded', `${unencoded}.${signature}`]
  yield ['b64 false over claims that are', token({ ...ES, b64: false, crit: ['b64'] })]
  const twice = {
    'none, then ES256, by a stranger': [
      '{"alg":"none","alg":"ES256","kid":"es"}',
      by.es(theirs.es),
    ],
    'ES256, then none': ['{"alg":"ES256","kid":"es","alg":"none"}', by.es(ours.es)],
    'ES256, then HS256': ['{"alg":"ES256","kid":"es","alg":"HS256"}', by.hs('')],
    'two kids': ['{"alg":"ES256","kid":"es","kid":"rsa"}', by.es(ours.es)],
  } as const
  for (const [name, [text, signer]] of Object.entries(twice))
    yield [`header with ${name}`, token(text, CLAIMS, signer)]
  for (const text of ['', '{', '[]', 'null', '7', '"ES256"', 'alg=ES256']) {
    yield [`a header that reads ${say(text)}`, token(text)]
  }
}

function* claims(): Iterable<Named> {
  const claim = (change: object): string => token(ES, { ...CLAIMS, ...change })
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    exp: [
      undefined,
      null,
      '1700000060',
      true,
      [],
      {},
      [NOW_SECONDS + 60],
      NOW_SECONDS - 30,
      0,
      -1,
      -1e300,
    ],
    iat: [undefined, null, '1700000000', true, [], {}, [NOW_SECONDS]],
    nbf: [null, '1700000000', false, [], {}, NOW_SECONDS + 31, 2 ** 53, 1e300],
    iss: [
      undefined,
      null,
      7,
      {},
      [],
      [ISSUER],
      '',
      'https://other.example',
      `${ISSUER}/`,
      ISSUER.toUpperCase(),
      `${ISSUER}.evil.example`,
    ],
    aud: [
      undefined,
      null,
      7,
      {},
      [],
      ['other'],
      [[AUDIENCE]],
      [null],
      '',
      'other',
      'ASSENT',
      `${AUDIENCE} `,
      { [AUDIENCE]: true },
      `other ${AUDIENCE}`,
    ],
    sub: [
      undefined,
      null,
      7,
      true,
      {},
      [],
      ['somebody'],
      '',
      'a\0b',
      'a\nb',
      '\ud800',
      'x'.repeat(256),
    ],
    account: [
      null,
      7,
      true,
      {},
      [],
      ['acme'],
      { id: 'acme' },
      '',
      'a\0b',
      'a\nb',
      '.',
      '..',
      '\ud800',
      'x'.repeat(201),
    ],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) yield [`${name} ${say(value)}`, claim({ [name]: value })]
  }
  const text = JSON.stringify(CLAIMS)
  yield ['an exp that is infinite', token(ES, text.replace(`${CLAIMS.exp}`, '1e999'))]
  yield [
    'an iss that is given twice',
    token(ES, text.replace('}', ',"iss":"https://other.example"}')),
  ]
  yield ['an exp that is given twice', token(ES, text.replace('}', ',"exp":1}'))]
  for (const payload of ['', '{', '[]', 'null', '7', 'true', '"x"', '[{}]', text.slice(0, -1)]) {
    yield [`claims that read ${say(payload)}`, token(ES, payload)]
  }
  yield [
    'claims that are not UTF-8',
    token(ES, Buffer.concat([Buffer.from('{"x":"'), Buffer.of(0xff), Buffer.from('"}')])),
  ]
}

/** Texts that are not even of the form, and would be taken for keys. */
export const SHAPELESS: readonly string[] = [
  `${HEADER}.${PAYLOAD}`,
  `${GENUINE}.`,
  `.${GENUINE}`,
  `${GENUINE}=`,
  `${HEADER}.${PAYLOAD}.${SIGNATURE}.x.y`,
  `${HEADER}..${PAYLOAD}.${SIGNATURE}`,
  GENUINE.replace('.', '%2e'),
]

export function forgedTokens(): ReadonlyMap<string, string> {
  return new Map([...algorithms(), ...keys(), ...signatures(), ...headers(), ...claims()])
}

/** Scopes that name none of ours. */
export const ODD_SCOPES: readonly unknown[] = [
  undefined,
  null,
  7,
  true,
  {},
  { admin: true },
  [],
  [['admin']],
  [{ admin: 1 }],
  ['ADMIN'],
  '',
  'ADMIN',
  'admin,read',
  'admin\tread',
  'administrator',
  '*',
  'admin\0',
  [null],
]

export const tokenWith = (change: object): string => token(ES, { ...CLAIMS, ...change })
