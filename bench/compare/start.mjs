/** Starts what the gateway asks, and what it is compared with. */
import { fileURLToPath } from 'node:url'
import { wire } from '../lib/load.mjs'
import { freePort, freePorts, launch, untilReady } from '../lib/processes.mjs'
import { recordText } from '../lib/record.mjs'
import { findNginx, startNginx } from './nginx.mjs'

const VALIDATORS = 10

const script = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Ten validators in one process, each on an origin of its own. */
export async function startValidators() {
  const ports = await freePorts(VALIDATORS)
  const env = { PORTS: ports.join(',') }
  const args = [script('validator.mjs')]
  const launched = launch({ name: 'validators', command: process.execPath, args, env })
  await untilReady(`http://127.0.0.1:${ports[0]}/ready`, launched)
  const url = (index, path) => `http://127.0.0.1:${ports[index]}${path}`
  return { pid: launched.pid, ports, url }
}

/** @returns the floor, and `target` that makes what runLoad takes of one of its modes. */
export async function startFloor({ postgres, validators }, name = 'floor') {
  const port = await freePort()
  const env = {
    PORT: `${port}`,
    DATABASE_URL: await postgres.createDatabase(name),
    VALIDATOR_PORTS: validators.ports.join(','),
  }
  const args = [script('floor.mjs')]
  const launched = launch({ name, command: process.execPath, args, env })
  await untilReady(`http://127.0.0.1:${port}/ready`, launched)
  const { pid } = launched
  return { pid, port, target: (what) => floorTarget({ pid, port, ...what }) }
}

function floorTarget({ pid, port, mode = 'full', count = 1, delayMs = 0, status = 'ok' }) {
  const path = `/${mode}/${count}/${delayMs}`
  return {
    name: mode === 'full' ? 'floor' : `floor ${mode}`,
    port,
    pids: [pid],
    make: (sequence) => postText(path, recordText(sequence, status)),
    expect: { status: status === 'deny' ? 403 : 201 },
  }
}

const postText = (path, body) =>
  wire({ path, headers: { 'content-type': 'application/json' }, body })

/** The target, or null when nginx cannot be had; in a hurry only what is there is used. */
export async function startNginxTarget(context) {
  const program = findNginx({ mayInstall: !context.options.quick })
  if (program === null) return null
  const backend = await startFloor(context, 'floor-behind-nginx')
  const nginx = await startNginx({ program, backend, validatorPort: context.validators.ports[0] })
  return {
    ...nginx,
    name: 'nginx',
    make: (sequence) => postText('/gated', recordText(sequence)),
    expect: { status: 201 },
  }
}
