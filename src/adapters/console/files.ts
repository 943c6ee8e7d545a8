/** The built console, read once and kept: a handful of files, of which the compressed ones are made beforehand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** Where `npm run build` puts it, seen from src/ and from dist/ alike. */
const FOLDER = fileURLToPath(new URL('../../../dist/console/', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

type File = { readonly bytes: Uint8Array; readonly type: string; readonly isImmutable: boolean }
type Read = (name: string, encoding: 'gzip' | 'plain') => File | null

/** Null for every name while the console has not been built. */
export function readConsole(folder: string = FOLDER): Read {
  const files = new Map<string, File>()
  if (existsSync(folder)) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const type = TYPES[extname(name)]
      if (type === undefined) continue
      const bytes = readFileSync(`${folder}${name}`)
      const isImmutable = name.startsWith('files/')
      files.set(`plain ${name}`, { bytes, type, isImmutable })
      files.set(`gzip ${name}`, { bytes: gzipSync(bytes, { level: 9 }), type, isImmutable })
    }
  }
  return (name, encoding) => files.get(`${encoding} ${name}`) ?? null
}
