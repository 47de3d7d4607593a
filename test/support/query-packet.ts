import type { RequestContext } from '#resolver/listener.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery, type OutgoingQuery } from '#resolver/wire/encode.ts'

/** A request as the server would hand it over: from a client on loopback. */
export const requestContext = (transport: RequestContext['transport'] = 'udp'): RequestContext => ({
  transport,
  client: { address: '127.0.0.1', port: 40_000 },
  local: { address: '127.0.0.1', port: 53 },
  server: 'dns://:53',
})

/** The bytes of a client's question for A, RD set, without EDNS, unless `fields` says otherwise. */
export const queryPacket = (name: string, fields: Partial<OutgoingQuery> = {}): Buffer =>
  encodeQuery({ id: 0x2a2a, name, type: recordTypes.A, recursionDesired: true, edns: undefined, ...fields })
