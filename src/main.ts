/** Reads the environment, starts, handles signals, exits. The only file that ends the process. */
import { parseAllowList } from './adapters/outbound/egress-policy.ts'
import { startGateway } from './compose.ts'
import { EXIT_CONFIG, FaultySettings, readConfig } from './config.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

async function main(): Promise<void> {
  const config = readConfig(process.env, (list) => parseAllowList(list, 'allow').faults)
  const gateway = await startGateway(config)
  say(`Assent listens on ${gateway.url}`)
  say(`Console: ${gateway.url}/console`)
  if (gateway.generatedAdminKey !== null) {
    say(`Admin key: ${gateway.generatedAdminKey}`)
    say('This key is shown once and kept nowhere. Send it as `Authorization: Bearer <key>`.')
  }
  stopOnSignals(gateway.close)
}

/** The first signal asks to finish, the second one insists. */
function stopOnSignals(close: () => Promise<void>): void {
  let isStopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(1)
    isStopping = true
    close().then(
      () => process.exit(0),
      (error: unknown) => fail(error, `could not stop in order after ${signal}`),
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function fail(error: unknown, what: string): never {
  complain(`Assent ${what}: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

main().catch((error: unknown) => {
  if (error instanceof FaultySettings) {
    complain('Assent cannot start with these settings:')
    for (const { name, message } of error.faults) complain(`  ${name}: ${message}`)
    process.exit(EXIT_CONFIG)
  }
  fail(error, 'could not start')
})
