/** Whole zones as a configuration gives them over TCP. */
import type { Configuration } from '#resolver/configuration.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { queryPacket } from './query-packet.ts'

/** Of a message that must be right. */
export const decode = (packet: Buffer): ResponseMessage => {
  const decoded = decodeResponse(packet)
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value
}

/** All messages of a reply over TCP. */
export const exchange = async (configuration: Configuration, packet: Buffer): Promise<ResponseMessage[]> => {
  const rest: Iterable<Buffer>[] = []
  const first = await configuration.responder(packet, {
    transport: 'tcp',
    client: { address: '192.0.2.7', port: 40_000 },
    local: { address: '192.0.2.53', port: 53 },
    server: 'dns://:53',
    follow: messages => void rest.push(messages),
  })
  return [first!, ...rest.flatMap(messages => [...messages])].map(decode)
}

export const transfer = async (configuration: Configuration, zone: string): Promise<readonly ResourceRecord[]> =>
  (await exchange(configuration, queryPacket(zone, { type: recordTypes.AXFR }))).flatMap(({ answers }) => answers)
