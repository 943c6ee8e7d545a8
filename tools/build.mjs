// Compiles src/ to dist/, and console/ to dist/console/, unless dist/ is already newer than everything that it is made of.
// npm runs it after `npm ci` and before `npm start`, so that a fresh clone starts and an edited one is
// never started stale. An image that ships dist/ without src/ has nothing to compile.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${root}dist/.built`

const newest = () => {
  const files = ['src', 'console'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map(
      (name) => `${root}${folder}/${name}`,
    ),
  )
  const sources = [...files, `${root}tsconfig.json`, `${root}package-lock.json`]
  return Math.max(...sources.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0))
}

const isFresh = () => existsSync(stamp) && statSync(stamp).mtimeMs > newest()

if (existsSync(`${root}src`) && (process.argv.includes('--force') || !isFresh())) {
  const compiler = `${root}node_modules/typescript/bin/tsc`
  if (!existsSync(compiler)) {
    console.error('dist/ is out of date and the compiler is not installed: run `npm ci` first.')
    process.exit(1)
  }
  rmSync(`${root}dist`, { recursive: true, force: true })
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.json'], { cwd: root, stdio: 'inherit' })
  const bundler = `${root}node_modules/vite/bin/vite.js`
  const bundle = [bundler, 'build', '--config', 'console/vite.config.ts']
  execFileSync(process.execPath, bundle, { cwd: root, stdio: 'inherit' })
  writeFileSync(stamp, '')
}
