/**
 * nginx with auth_request in front of the floor's one-statement commit: what an engineer would put
 * together instead. One validator, asked by a subrequest that carries headers only, so that it cannot see
 * the body that it decides about.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installWithApt } from '../lib/postgres.mjs'
import { freePort, launch, temporaryFolder, untilReady } from '../lib/processes.mjs'

const PROGRAMS = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/local/bin/nginx']

/** Null when it is not there and, if `mayInstall`, cannot be had either. */
export function findNginx({ mayInstall }) {
  const find = () => PROGRAMS.find((path) => existsSync(path)) ?? null
  return find() ?? (mayInstall && installWithApt(['nginx']) ? find() : null)
}

export async function startNginx({ program, backend, validatorPort }) {
  const folder = temporaryFolder('nginx')
  mkdirSync(join(folder, 'bodies'), { recursive: true })
  const port = await freePort()
  const path = join(folder, 'nginx.conf')
  writeFileSync(path, configOf({ folder, port, backendPort: backend.port, validatorPort }))
  const log = join(folder, 'error.log')
  const launched = launch({
    name: 'nginx',
    command: program,
    args: ['-p', folder, '-e', log, '-c', path],
  })
  await untilReady(`http://127.0.0.1:${port}/ready`, launched)
  return { port, pids: [launched.pid, backend.pid] }
}

function configOf({ folder, port, backendPort, validatorPort }) {
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/bodies/${name};`)
    .join(' ')
  const isRoot = process.getuid?.() === 0
  return `
${isRoot ? 'user root;' : ''}
worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  ${folders}
  upstream validator { server 127.0.0.1:${validatorPort}; keepalive 128; keepalive_requests 1000000000; }
  upstream backend { server 127.0.0.1:${backendPort}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    proxy_http_version 1.1; proxy_set_header Connection "";
    location = /ready { proxy_pass http://backend/ready; }
    location = /gated { auth_request /_ask; proxy_pass http://backend/commit/0/0; }
    location = /_ask {
      internal; proxy_pass http://validator/check403/0;
      proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_set_header Content-Type "";
    }
  }
}
`
}
