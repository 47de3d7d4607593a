/**
 * transfer: gives whole zones to other servers (AXFR, RFC 5936; IXFR, RFC 1995), to those whom `to` names. The zones are
 * those of the block's other plugins that have data of their own; changes are announced to those who are named by address
 * (NOTIFY, RFC 1996).
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { parseAddress } from '#lib/address.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { Notifier, type Peer } from '../authority/notifier.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { parseNetwork } from '../corefile/network.ts'
import type { Property, Word } from '../corefile/syntax.ts'
import { type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule, ZoneCopy } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { ixfrSerial } from '../wire/message.ts'
import { isSubdomain } from '../wire/name.ts'
import { soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { isNewerSerial } from '../wire/serial.ts'
import { addressKey } from '../zone/address.ts'
import { notReady } from '../zone/negative.ts'

const NAME = 'transfer'

type Address = ReturnType<typeof ipaddr.process>

const options = {
  to: {
    kind: 'words',
    syntax: 'ADDRESS…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'needed',
    doc: 'who may have the zones: addresses and networks of clients, or `*` for anybody; changes are announced to addresses, on port 53 or the one behind the colon',
  },
  source: {
    kind: 'words',
    syntax: 'ADDRESS',
    minimum: 1,
    maximum: 1,
    repeatable: true,
    absent: 'the system’s choice',
    doc: 'the address of this machine that changes are announced from; one of each family at most',
  },
} as const satisfies PropertyTable

const metrics = {
  failures: {
    kind: 'counter',
    name: 'seamark_transfer_notify_failures_total',
    help: 'Servers that did not answer when a change of a zone was announced to them.',
    labels: ['zone'],
  },
} as const satisfies MetricTable

interface Settings {
  readonly zones: readonly DnsName[]
  /** Whether a client's address may have them. */
  readonly allows: (address: string) => boolean
  readonly peers: readonly Peer[]
  readonly sources: readonly string[]
}

export const transferPlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const { to, source } = reader.properties(options)
    const words = to.flatMap(property => property.arguments)
    const zones = reader.zones(directive.arguments, block.zones)
    if (to.length === 0) reader.refuse(directive.name, 'needs "to": who may have the zones (to *: anybody)')
    const clients = words.map(word => readClient(reader, word))
    const settings: Settings = {
      zones,
      allows: address => clients.some(client => client.allows(address)),
      peers: clients.flatMap(({ peer }) => peer ?? []),
      sources: readSources(reader, source),
    }
    return reader.finish((): Plugin => new Transfer(settings, block, environment))
  },
}

const readSources = (reader: DirectiveReader, lines: readonly Property[]): readonly string[] => {
  const families = new Set<number>()
  return lines.map(({ arguments: [word] }) => {
    const family = isIP(word!.text)
    if (family === 0) reader.refuse(word!, `"${word!.text}" is not an IP address`)
    else if (families.has(family)) reader.refuse(word!, `there is a source of IPv${family} already`)
    families.add(family)
    return word!.text
  })
}

/** A word of `to`. */
interface Client {
  readonly allows: (address: string) => boolean
  /** Who is told of changes. */
  readonly peer?: Peer
}

const DNS_PORT = 53

const readClient = (reader: DirectiveReader, word: Word): Client => {
  const { text } = word
  if (text === '*') return { allows: () => true }
  const network = parseNetwork(text)
  if (network) {
    return { allows: address => ipaddr.isValid(address) && isIn(ipaddr.process(address), network) }
  }
  const parsed = addressKey(text) === undefined ? parseAddress(text) : undefined
  const address = parsed?.ok ? parsed.value.host : text
  const key = addressKey(address)
  if (key === undefined) reader.refuse(word, `"${text}" is neither an address, nor a network, nor "*"`)
  return {
    allows: client => addressKey(client) === key,
    peer: { address, port: parsed?.ok ? parsed.value.port : DNS_PORT },
  }
}

const isIn = (address: Address, network: [Address, number]): boolean =>
  address.kind() === network[0].kind() && address.match(network)

const refused = answered(
  NAME,
  // RFC 8914 §4.22.
  emptyAnswer(rcodes.REFUSED, {
    extendedErrors: [{ code: extendedErrorCodes.NOT_SUPPORTED, text: 'a zone is transferred over TCP alone' }],
  }),
)
const notForThisClient = answered(
  NAME,
  // RFC 8914 §4.19.
  emptyAnswer(rcodes.REFUSED, {
    extendedErrors: [{ code: extendedErrorCodes.PROHIBITED, text: 'this client may not have the zone' }],
  }),
)
// RFC 5936 §2.2.1: "NotAuth" for a zone that the server does not have.
const noSuchZone = answered(
  NAME,
  emptyAnswer(rcodes.NOTAUTH, {
    extendedErrors: [{ code: extendedErrorCodes.NOT_AUTHORITATIVE, text: 'no zone of this name to transfer' }],
  }),
)
const noSerial = answered(NAME, emptyAnswer(rcodes.FORMERR))

class Transfer implements Plugin {
  readonly name = NAME
  readonly #settings: Settings
  readonly #block: BlockContext
  readonly #notifier: Notifier

  constructor(settings: Settings, block: BlockContext, { clock, random, logger, registry }: Environment) {
    this.#settings = settings
    this.#block = block
    const { failures } = registerMetrics(registry, metrics)
    const child = logger.child({ room: 'resolver', plugin: NAME })
    const { peers, sources } = settings
    this.#notifier = new Notifier({ peers, sources, clock, random, logger: child, failures })
  }

  /** Before the plugins with zones start: what they read first is news, too (RFC 1996 §3.1, a server that boots). */
  async start(): Promise<void> {
    if (this.#settings.peers.length === 0) return
    for (const plugin of this.#block.plugins()) plugin.watchZones?.(zone => this.#announce(zone))
  }

  async close(): Promise<void> {
    this.#notifier.close()
  }

  #announce(zone: DnsName): void {
    if (!this.#settings.zones.some(each => isSubdomain(zone, each))) return
    const soa = this.#copyZone(zone)?.soa
    if (soa) this.#notifier.tell(zone, soa)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName: name, type } = query.question
    if (type !== recordTypes.AXFR && type !== recordTypes.IXFR) return next(query)
    if (!this.#settings.zones.some(zone => isSubdomain(name, zone))) return next(query)
    if (!this.#settings.allows(query.client.address)) return notForThisClient
    const copy = this.#copyZone(name)
    if (!copy) return noSuchZone
    const { soa, records } = copy
    if (!soa) return answered(NAME, notReady())
    if (type === recordTypes.AXFR) return query.transport === 'udp' ? refused : transferred(soa, records)
    const serial = ixfrSerial(query)
    if (serial === undefined) return noSerial
    // RFC 1995 §2, §4: the SOA alone says "up to date", and over UDP also "more than fits: come by TCP".
    if (query.transport === 'udp' || !isNewerSerial(soaData.decode(soa.data).serial, serial))
      return answered(NAME, emptyAnswer(rcodes.NOERROR, { authoritative: true, answers: [soa] }))
    // RFC 1995 §4: a server that keeps no differences answers as if asked for AXFR.
    return transferred(soa, records)
  }

  #copyZone(name: DnsName): ZoneCopy | undefined {
    for (const plugin of this.#block.plugins()) {
      const copy = plugin.copyZone?.(name)
      if (copy) return copy
    }
    return undefined
  }
}

const transferred = (soa: ResourceRecord, records: Iterable<ResourceRecord>): Verdict => ({
  verdict: 'transferred',
  by: NAME,
  records: enclose(soa, records),
})

/** RFC 5936 §2.2: the SOA at the begin and at the end. */
function* enclose(soa: ResourceRecord, records: Iterable<ResourceRecord>): Generator<ResourceRecord, void> {
  yield soa
  yield* records
  yield soa
}
