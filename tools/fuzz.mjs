// Fuzzed requests for as long as one likes: `npm run fuzz -- --requests=1000000 --sockets=100000 --seed=7`.
// The suite itself tries a few thousand; the numbers reach it through the environment.
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    sockets: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
})

console.info(`${values.requests} in process, ${values.sockets} over sockets, seed ${values.seed}`)
const env = {
  ...process.env,
  FUZZ_REQUESTS: values.requests,
  FUZZ_SOCKETS: values.sockets,
  FUZZ_SEED: values.seed,
}
const suite = ['run', '--project', 'fault', 'test/fault/fuzz.test.ts']
spawn('npx', ['vitest', ...suite], { env, stdio: 'inherit' }).on('exit', (code) => {
  process.exitCode = code ?? 1
})
