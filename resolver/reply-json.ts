/**
 * A question and its reply as one line of JSON, for collectors. Names of fields are CoreDNS 1.14's where it has them
 * (`client_ip`, `qname`, `qtype`, `rcode`, `duration_seconds`).
 */
import type { Clock } from '#lib/clock.ts'
import type { Reply } from './plugin.ts'
import { protocolOf, type Query } from './query.ts'
import { bufferSize, replyFlags } from './reply-template.ts'
import { className, rcodeName, typeName } from './wire/codes.ts'

/** What plugins know of the client; absent: nothing. */
export interface ClientIdentity {
  readonly namespace: string
  readonly pod: string
}

/** A line of `plugin` that is not about one reply alone. `level`: `INFO`, `ERROR` … */
export const jsonLine = (clock: Clock, level: string, plugin: string, msg: string): string =>
  JSON.stringify({ time: new Date(clock.now()).toISOString(), level, plugin, msg })

export const replyJson = (clock: Clock, query: Query, reply: Reply, identity: ClientIdentity | undefined): string => {
  const { question, client, transport, edns, packet: request, id, server } = query
  const { answer, by, packet, duration } = reply
  const causes = answer?.extendedErrors
  return JSON.stringify({
    time: new Date(clock.now()).toISOString(),
    level: 'INFO',
    plugin: 'log',
    client_ip: client.address,
    client_port: client.port,
    ...(identity && { namespace: identity.namespace, pod: identity.pod }),
    server,
    proto: protocolOf(transport),
    id,
    qname: question.name,
    qtype: typeName(question.type),
    qclass: className(question.class),
    request_size: request.length,
    do: edns?.dnssecOk ?? false,
    bufsize: bufferSize(query),
    // Silence has none.
    rcode: answer ? rcodeName(answer.rcode) : null,
    flags: replyFlags(packet),
    answered_by: by,
    response_size: packet?.length ?? 0,
    duration_seconds: Math.round(duration * 1000) / 1e6,
    ...(causes && { extended_errors: causes }),
  })
}
