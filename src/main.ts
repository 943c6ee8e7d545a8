/** Reads the environment, starts, handles signals, exits. The only file that ends the process. */
import { parseAllowList } from './adapters/outbound/egress-policy.ts'
import { systemClock } from './adapters/system/clock.ts'
import { startGateway } from './compose.ts'
import { type Config, EXIT_CONFIG, FaultySettings, readConfig } from './config.ts'
import { migrateFor } from './migrate-for.ts'
import { reEncrypt } from './re-encrypt.ts'
import { FirstWorkerEnded, isWorker, Primary, type Started, Workers } from './workers.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const complain = (text: string): void => void process.stderr.write(`${text}\n`)

async function main(): Promise<void> {
  const config = readConfig(process.env, (list) => parseAllowList(list, 'allow').faults)
  const [command, ...words] = process.argv.slice(2)
  if (command === 're-encrypt') return reEncryptNow(config)
  if (command === 'migrate') return migrateNow(config, words)
  if (config.workers === 1) return serve(config)
  return isWorker ? work(config) : lead(config)
}

async function reEncryptNow(config: Config): Promise<void> {
  const count = await reEncrypt(config)
  say(`Stored secrets that were sealed anew with the first master key: ${count}`)
}

async function migrateNow(config: Config, [role]: readonly string[]): Promise<void> {
  await migrateFor(config, role)
  say('The database has the schema of this build.')
  if (role !== undefined) say(`The role ${role} may work as a gateway, and change no tables.`)
}

async function serve(config: Config): Promise<void> {
  const gateway = await startGateway(config)
  // Before it says that it is there: whoever reads that may send a signal at once.
  stopOnSignals(gateway.close, () => {})
  welcome(gateway)
}

/** The primary of several workers. */
async function lead(config: Config): Promise<void> {
  const workers = new Workers(systemClock, (text) => complain(`Assent: ${text}`))
  stopOnSignals(
    () => workers.stop(),
    () => workers.kill(),
  )
  welcome(await workers.start(config.workers))
}

async function work(config: Config): Promise<void> {
  const primary = new Primary(systemClock)
  const { url, generatedAdminKey, metrics, flush, close } = await startGateway(config, {
    siblings: primary,
  })
  const stop = (): void => end(close, 'when its primary asked for it')
  primary.report({ url, generatedAdminKey }, { metrics, flush, stop })
  // A terminal tells all processes at once; the primary decides what is to be done about it.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', stop)
}

function welcome({ url, generatedAdminKey }: Started): void {
  say(`Assent listens on ${url}`)
  say(`Console: ${url}/console`)
  if (generatedAdminKey === null) return
  say(`Admin key: ${generatedAdminKey}`)
  say('This key is shown once and kept nowhere. Send it as `Authorization: Bearer <key>`.')
}

/** The first signal asks to finish, the second one insists. */
function stopOnSignals(close: () => Promise<void>, insist: () => void): void {
  let isStopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) {
      insist()
      process.exit(1)
    }
    isStopping = true
    end(close, `after ${signal}`)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function end(close: () => Promise<void>, when: string): void {
  close().then(
    () => process.exit(0),
    (error: unknown) => fail(error, `could not stop in order ${when}`),
  )
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
  // It has said itself what was wrong.
  if (error instanceof FirstWorkerEnded) process.exit(error.code)
  fail(error, 'could not start')
})
