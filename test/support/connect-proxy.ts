/** A proxy that opens tunnels, and can be told to misbehave. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type ConnectProxy = AsyncDisposable & {
  readonly port: number
  /** What it was asked to connect to, in order. */
  readonly asked: readonly string[]
  /** How many connections came, asked for anything or not. */
  readonly connections: () => number
}

/** What it does with a request in place of opening the tunnel. */
export type Misconduct = (socket: Socket, authority: string) => void

export async function startConnectProxy(misconduct?: Misconduct): Promise<ConnectProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = createServer((socket) => {
    connections += 1
    keep(socket).once('data', (bytes) => {
      const authority = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(bytes.toString('latin1'))?.[1] ?? ''
      asked.push(authority)
      if (misconduct !== undefined) return misconduct(socket, authority)
      const { hostname, port } = new URL(`http://${authority}`)
      const target = keep(connect(Number(port), hostname.replace(/^\[|\]$/g, '')))
      target.once('connect', () => {
        socket.write('HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n')
        socket.pipe(target).pipe(socket)
      })
      target.once('close', () => socket.destroy())
      socket.once('close', () => target.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
