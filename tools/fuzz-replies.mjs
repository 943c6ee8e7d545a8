// Reads a million replies made by chance: node tools/fuzz-replies.mjs [count] [seed]. The seed is told, so
// that what was found can be found again.
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'

const [count = '1000000', seed = String(randomInt(2 ** 31))] = process.argv.slice(2)
if (!/^\d{1,9}$/.test(count) || !/^\d{1,10}$/.test(seed)) {
  console.error('usage: node tools/fuzz-replies.mjs [count] [seed]')
  process.exit(2)
}
console.log(`${count} replies, seed ${seed}`)
const root = fileURLToPath(new URL('..', import.meta.url))
const vitest = `${root}node_modules/vitest/vitest.mjs`
const args = [vitest, 'run', '--project', 'unit', 'test/property/reply-fuzz.test.ts']
const env = { ...process.env, FUZZ_REPLIES: count, FUZZ_SEED: seed }
const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
process.exitCode = status ?? 1
