/** What dnstap tells of a message (dnstap.proto), as Protocol Buffers. */
import { isIPv4, isIPv6 } from 'node:net'
import { PbfWriter } from 'pbf'
import type { Milliseconds } from '#lib/clock.ts'
import type { Transport } from '../query.ts'
import { aaaaData, aData } from '../wire/rdata.ts'

/** Message.Type, those that this server has. */
export const messageTypes = { CLIENT_QUERY: 5, CLIENT_RESPONSE: 6, FORWARDER_QUERY: 7, FORWARDER_RESPONSE: 8 } as const
export type MessageType = keyof typeof messageTypes

/** SocketProtocol. */
const protocols: Readonly<Record<Transport, number>> = { udp: 1, tcp: 2, tls: 3, https: 4 }

/** An end of an exchange. */
export interface TapEndpoint {
  readonly address: string
  readonly port: number
}

export interface TapMessage {
  readonly type: MessageType
  readonly transport: Transport
  /** Who asked; undefined: this server, from whatever address the system chose. */
  readonly from: TapEndpoint | undefined
  /** Who was asked. */
  readonly to: TapEndpoint
  /** Wall time, with fractions. */
  readonly queried: Milliseconds
  /** Of responses. */
  readonly responded?: Milliseconds
  readonly query?: Buffer
  readonly response?: Buffer
}

export interface TapFrame {
  readonly identity: string
  readonly version: string
  readonly extra: string
  readonly message: TapMessage
}

/** The field numbers of dnstap.proto. */
const frameFields = { identity: 1, version: 2, extra: 3, message: 14, type: 15 } as const
const messageFields = {
  type: 1,
  family: 2,
  protocol: 3,
  queryAddress: 4,
  responseAddress: 5,
  queryPort: 6,
  responsePort: 7,
  querySeconds: 8,
  queryNanoseconds: 9,
  query: 10,
  responseSeconds: 12,
  responseNanoseconds: 13,
  response: 14,
} as const
/** Dnstap.Type. */
const MESSAGE = 1

/** A scope such as `%eth0` is this machine's own affair. */
const addressBytes = (address: string): Buffer | undefined => {
  const bare = address.replace(/%.*$/, '')
  if (isIPv4(bare)) return aData.encode(bare)
  return isIPv6(bare) ? aaaaData.encode(bare) : undefined
}

const writeTime = (writer: PbfWriter, seconds: number, nanoseconds: number, time: Milliseconds): void => {
  const whole = Math.floor(time / 1000)
  writer.writeVarintField(seconds, whole)
  writer.writeFixed32Field(nanoseconds, Math.floor((time - whole * 1000) * 1e6))
}

const writeMessage = (message: TapMessage, writer: PbfWriter): void => {
  const fields = messageFields
  const { from, to } = message
  const asked = addressBytes(to.address)
  const asker = from && addressBytes(from.address)
  writer.writeVarintField(fields.type, messageTypes[message.type])
  if (asked) writer.writeVarintField(fields.family, asked.length === 4 ? 1 : 2)
  writer.writeVarintField(fields.protocol, protocols[message.transport])
  if (asker) writer.writeBytesField(fields.queryAddress, asker)
  if (asked) writer.writeBytesField(fields.responseAddress, asked)
  if (from) writer.writeVarintField(fields.queryPort, from.port)
  writer.writeVarintField(fields.responsePort, to.port)
  writeTime(writer, fields.querySeconds, fields.queryNanoseconds, message.queried)
  if (message.query) writer.writeBytesField(fields.query, message.query)
  if (message.responded !== undefined)
    writeTime(writer, fields.responseSeconds, fields.responseNanoseconds, message.responded)
  if (message.response) writer.writeBytesField(fields.response, message.response)
}

export const encodeFrame = ({ identity, version, extra, message }: TapFrame): Buffer => {
  const writer = new PbfWriter()
  if (identity !== '') writer.writeStringField(frameFields.identity, identity)
  if (version !== '') writer.writeStringField(frameFields.version, version)
  if (extra !== '') writer.writeStringField(frameFields.extra, extra)
  writer.writeMessage(frameFields.message, writeMessage, message)
  writer.writeVarintField(frameFields.type, MESSAGE)
  return Buffer.from(writer.finish())
}
