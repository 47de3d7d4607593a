/** The upstream of the corpus: answers from a table over UDP and TCP, on one loopback port. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { parseRcode, parseType } from '#resolver/wire/codes.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { bindPair } from '../support/bind-pair.ts'
import { requestContext } from '../support/query-packet.ts'
import type { UpstreamConfig } from './cases.ts'
import { toResourceRecord } from './presentation.ts'

const answerBytes = (config: UpstreamConfig, packet: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined => {
  const decoded = decodeQuery(packet, requestContext(transport), 0)
  if (decoded.verdict !== 'query') return undefined
  const { canonicalName, type } = decoded.query.question
  const named = config.records.filter(({ name }) => name === canonicalName)
  const record = named.find(candidate => parseType(candidate.type) === type)
  const rcode = record?.rcode ?? (named.length > 0 ? 'NOERROR' : config.default.rcode)
  return encodeAnswer(decoded.query, {
    rcode: parseRcode(rcode)!,
    authoritative: false,
    recursionAvailable: true,
    authenticData: false,
    truncated: transport === 'udp' && record?.tc === true,
    answers: (record?.answer ?? []).map(toResourceRecord),
    authority: (record?.authority ?? []).map(toResourceRecord),
    additional: [],
  })
}

const serveStream = (socket: Socket, config: UpstreamConfig): void => {
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const reply = answerBytes(config, received.subarray(2, end), 'tcp')
      received = received.subarray(end)
      if (!reply) continue
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.write(Buffer.concat([length, reply]))
    }
  })
}

export interface UpstreamStub {
  /** `127.0.0.1:PORT`. */
  readonly address: string
  close(): Promise<void>
}

export const startUpstream = async (config: UpstreamConfig): Promise<UpstreamStub> => {
  const sockets = new Set<Socket>()
  const server: Server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serveStream(socket, config)
  })
  const datagrams = createSocket('udp4')
  datagrams.on('message', (packet, { address, port: client }) => {
    const reply = answerBytes(config, packet, 'udp')
    if (reply) datagrams.send(reply, client, address)
  })
  const port = await bindPair(server, datagrams)
  return {
    address: `127.0.0.1:${port}`,
    async close() {
      datagrams.close()
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
