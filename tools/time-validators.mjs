// Holds every behaviour of the catalogue of validators, with each policy, against its timeout and 50 ms more:
// node tools/time-validators.mjs [slackMs]. For a machine with nothing else to do, which a test run is not.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const [slackMs = '50'] = process.argv.slice(2)
const root = fileURLToPath(new URL('..', import.meta.url))
const vitest = `${root}node_modules/vitest/vitest.mjs`
const suite = ['--project', 'e2e', '--maxConcurrency=1', 'test/e2e/validators.test.ts']
const env = { ...process.env, VALIDATOR_SLACK_MS: slackMs }
const { status } = spawnSync(process.execPath, [vitest, 'run', ...suite], {
  cwd: root,
  env,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
