/**
 * Every case of the corpus and of our own by the whole path: bytes to the resolver, from a worker's memo, then over UDP,
 * TCP, TLS and HTTPS of a real server. A case that is about one transport is asked over that one alone.
 */
import { Agent } from 'node:https'
import test from 'ava'
import { recordTypes } from '#resolver/wire/codes.ts'
import { soaData } from '#resolver/wire/rdata.ts'
import { identityOf, makeAuthority } from '../support/certificates.ts'
import { ask } from '../support/dns-environment.ts'
import { type CaseServer, CaseServers, clientOf } from './case-server.ts'
import { type ConformanceCase, cases, configOf, extraCases } from './cases.ts'
import { differences } from './compare.ts'
import { exchange, exchangeHttps } from './exchange.ts'
import { requestPacket } from './request.ts'

const authority = await makeAuthority()
const servers = new CaseServers(identityOf(await authority.server()))
const agent = new Agent({ ca: authority.ca, keepAlive: true })

type Transport = 'udp' | 'tcp' | 'tls' | 'https'
/** One reply for each request (several when the case pipelines), in the order of the requests. */
type Replies = readonly (Buffer | undefined)[]

const serialOf = async ({ configuration }: CaseServer, zone: string): Promise<number> => {
  const { server } = configuration.listeners[0]!
  const reply = await ask(configuration, zone, { type: recordTypes.SOA, server })
  return soaData.decode(reply!.answers[0]!.data).serial
}

const packetsOf = async (conformanceCase: ConformanceCase, server: CaseServer): Promise<Buffer[]> => {
  const { request = {}, qname } = conformanceCase
  const { ixfr_serial: wanted } = request
  const serial =
    wanted === 'current' ? await serialOf(server, qname) : wanted === undefined ? undefined : Number(wanted)
  return Array.from({ length: request.pipeline ?? 1 }, (_, index) =>
    requestPacket(conformanceCase, 1000 + index, serial),
  )
}

/** The zones of the corpus fit into one message. */
const follow = (messages: Iterable<Buffer>): void => {
  for (const message of messages) throw new Error(`${message.length} bytes follow`)
}

const askInProcess = async (
  conformanceCase: ConformanceCase,
  server: CaseServer,
  transport: Transport,
): Promise<Replies> => {
  const config = configOf(conformanceCase)
  const context = server.context({ config, client: clientOf(conformanceCase), transport })
  const packets = await packetsOf(conformanceCase, server)
  return Promise.all(
    packets.map(async packet => {
      const { responder } = server.configuration
      const reply = await responder(packet, { ...context, ...(transport === 'tcp' && { follow }) })
      return reply && Buffer.from(reply)
    }),
  )
}

let memoHits = 0

/** What a worker does not know by itself it asks for, like anybody. */
const askMemo = async (
  conformanceCase: ConformanceCase,
  server: CaseServer,
  transport: Transport,
): Promise<Replies> => {
  const context = server.context({ config: configOf(conformanceCase), client: clientOf(conformanceCase), transport })
  const replies: Buffer[] = []
  for (const packet of transport === 'udp' ? await packetsOf(conformanceCase, server) : []) {
    const reply = await server.askMemo(packet, context)
    if (reply) replies.push(reply)
  }
  memoHits += replies.length
  return replies
}

const askServer = async (
  conformanceCase: ConformanceCase,
  server: CaseServer,
  transport: Transport,
): Promise<Replies> => {
  const silence = conformanceCase.expect.no_response ?? false
  const packets = await packetsOf(conformanceCase, server)
  const { dns, tls, https: port } = server.ports
  if (transport === 'https') return Promise.all(packets.map(packet => exchangeHttps(packet, { port, agent })))
  const door = transport === 'tls' ? { port: tls, ca: authority.ca } : { port: dns }
  return exchange(packets, { ...door, transport, silence })
}

/** Where CoreDNS contradicts the specifications, only the right answer will do; where it chose, either choice. */
const verdictOn = (conformanceCase: ConformanceCase, reply: Buffer | undefined): string[] => {
  const { basis, expect, alt_expect } = conformanceCase
  const acceptable = basis === 'quirk' && alt_expect ? [alt_expect] : alt_expect ? [expect, alt_expect] : [expect]
  const tried = acceptable.map(expectation => differences(reply, expectation))
  return tried.some(found => found.length === 0) ? [] : tried.map(found => found.join(', '))
}

/** What the size of a datagram decides, or what only a stream carries. */
const transportsOf = ({ request, expect, alt_expect, qtype }: ConformanceCase): readonly Transport[] => {
  if (request?.transport) return [request.transport]
  const bound = expect.tc || expect.partial || expect.max_size !== undefined || alt_expect?.tc
  return bound || qtype === 'AXFR' || qtype === 'IXFR' ? ['udp'] : ['udp', 'tcp', 'tls', 'https']
}

for (const conformanceCase of [...cases, ...extraCases]) {
  const { id, section, about, request } = conformanceCase
  // One after the other: a thousand at once would wait for each other longer than a reply may take.
  test.serial(`${section}: ${id}: ${about}`, async t => {
    const server = await servers.of(conformanceCase)
    for (const transport of transportsOf(conformanceCase)) {
      for (const way of [askInProcess, askMemo, askServer]) {
        for (const [index, reply] of (await way(conformanceCase, server, transport)).entries()) {
          t.deepEqual(verdictOn(conformanceCase, reply), [], `${way.name} over ${transport}`)
          if (reply && request?.raw === undefined) t.is(reply.readUInt16BE(0), 1000 + index)
        }
      }
    }
  })
}

test('cases are never deleted, and their ids are unique', t => {
  t.is(cases.length, 269)
  t.true(extraCases.length >= 1, `${extraCases.length} cases of our own`)
  const all = [...cases, ...extraCases]
  t.deepEqual(
    all.map(({ id }) => id).filter((id, index, ids) => ids.indexOf(id) !== index),
    [],
  )
  t.log(`${cases.length} of the corpus, ${extraCases.length} of our own`)
})

test.after('the memo has answered, too', () => {
  if (memoHits < cases.length) throw new Error(`${memoHits} replies of the memo`)
})

test.after.always(() => {
  agent.destroy()
  return servers.close()
})
