/** A name server on loopback, over UDP and TCP, that answers whatever it is told to, byte by byte. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export type RecordType = keyof typeof TYPES
const TYPES = { A: 1, CNAME: 5, AAAA: 28 } as const

export type DnsRecord = {
  readonly type: RecordType
  /** An address, a name, or the bytes as they are. */
  readonly data: string | Uint8Array
  readonly ttl?: number
  /** Left out: the name that was asked for. */
  readonly owner?: string
  readonly class?: number
}

export type DnsQuery = {
  readonly name: string
  readonly type: RecordType | 'other'
  readonly overTcp: boolean
  /** Counts the queries for this name and type, from 1. */
  readonly turn: number
  /** The query as it came. */
  readonly bytes: Buffer
}

export type Message = {
  readonly answers?: readonly DnsRecord[]
  readonly additional?: readonly DnsRecord[]
  readonly code?: number
  readonly isTruncated?: boolean
  /** In place of the query's. */
  readonly id?: number
  readonly question?: string
}

/** The replies to one query, in order; none leaves it without an answer. */
export type Zone = (query: DnsQuery) => readonly (Message | Buffer)[]

export type DnsServer = AsyncDisposable & {
  readonly address: string
  readonly queries: readonly DnsQuery[]
}

const CLASS_IN = 1
const HEADER_BYTES = 12

export async function startDnsServer(zone: Zone): Promise<DnsServer> {
  const queries: DnsQuery[] = []
  const repliesTo = (bytes: Buffer, overTcp: boolean): Buffer[] => {
    const { name, type } = questionOf(bytes)
    const turn = queries.filter((one) => one.name === name && one.type === type).length + 1
    const query = { name, type, overTcp, turn, bytes }
    queries.push(query)
    return zone(query).map((reply) => (Buffer.isBuffer(reply) ? reply : encoded(query, reply)))
  }
  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      for (const reply of repliesTo(bytes.subarray(2), true)) {
        socket.write(Buffer.concat([uint16(reply.length), reply]))
      }
    })
  })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.on('message', (bytes, { port: to, address }) => {
    for (const reply of repliesTo(bytes, false)) udp.send(reply, to, address)
  })
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  return {
    address: `127.0.0.1:${port}`,
    queries,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

function questionOf(bytes: Buffer): Pick<DnsQuery, 'name' | 'type'> {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const number = bytes.readUInt16BE(at + 1)
  const type = (Object.keys(TYPES) as RecordType[]).find((one) => TYPES[one] === number)
  return { name: labels.join('.').toLowerCase(), type: type ?? 'other' }
}

function encoded({ bytes, name, type }: DnsQuery, message: Message): Buffer {
  const { answers = [], additional = [], code = 0, isTruncated = false } = message
  const flags = 0x8180 | (isTruncated ? 0x0200 : 0) | code
  const number = type === 'other' ? 0 : TYPES[type]
  const counts = [1, answers.length, 0, additional.length].map(uint16)
  return Buffer.concat([
    uint16(message.id ?? bytes.readUInt16BE(0)),
    uint16(flags),
    ...counts,
    nameBytes(message.question ?? name),
    uint16(number),
    uint16(CLASS_IN),
    ...[...answers, ...additional].map((record) => recordBytes(record, name)),
  ])
}

function recordBytes(record: DnsRecord, asked: string): Buffer {
  const { type, data, ttl = 60, owner = asked } = record
  const bytes = typeof data === 'string' ? dataBytes(type, data) : Buffer.from(data)
  const ttlBytes = Buffer.alloc(4)
  ttlBytes.writeUInt32BE(ttl)
  return Buffer.concat([
    nameBytes(owner),
    uint16(TYPES[type]),
    uint16(record.class ?? CLASS_IN),
    ttlBytes,
    uint16(bytes.length),
    bytes,
  ])
}

function dataBytes(type: RecordType, data: string): Buffer {
  if (type === 'CNAME') return nameBytes(data)
  if (type === 'A') return Buffer.from(data.split('.').map(Number))
  const groups = new URL(`http://[${data}]/`).hostname.slice(1, -1).split('::')
  const [head = [], tail = []] = groups.map((side) => side.split(':').filter((one) => one !== ''))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return Buffer.concat([...head, ...zeros, ...tail].map((one) => uint16(Number.parseInt(one, 16))))
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  const parts = labels.map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'),
  )
  return Buffer.concat([...parts, Buffer.alloc(1)])
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}
