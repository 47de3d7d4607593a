/**
 * transfer: gives whole zones to other servers (AXFR, RFC 5936; IXFR, RFC 1995), to those whom `to` names. The zones are
 * those of the block's other plugins that have data of their own; changes are not announced (no NOTIFY).
 */
import { isIP } from 'node:net'
import { parseAddress } from '#lib/address.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Word } from '../corefile/syntax.ts'
import type { MaybePromise } from '../listener.ts'
import type { BlockContext, Next, Plugin, PluginModule, ZoneCopy } from '../plugin.ts'
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

const options = {
  to: {
    kind: 'words',
    syntax: 'ADDRESS…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'needed',
    doc: 'who may have the zones: addresses of clients, or `*` for anybody; a port is taken and has no effect, since no NOTIFY is sent',
  },
} as const satisfies PropertyTable

interface Settings {
  readonly zones: readonly DnsName[]
  /** Addresses as index keys; undefined: anybody. */
  readonly to: ReadonlySet<string> | undefined
}

export const transferPlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options,
  setup(directive, block) {
    const reader = new DirectiveReader(directive)
    const { to } = reader.properties(options)
    const words = to.flatMap(property => property.arguments)
    const zones = reader.zones(directive.arguments, block.zones)
    if (to.length === 0) reader.refuse(directive.name, 'needs "to": who may have the zones (to *: anybody)')
    const keys = words.filter(({ text }) => text !== '*').map(word => readClient(reader, word))
    const settings = { zones, to: keys.length < words.length ? undefined : new Set(keys) }
    return reader.finish((): Plugin => new Transfer(settings, block))
  },
}

const readClient = (reader: DirectiveReader, word: Word): string => {
  const whole = addressKey(word.text)
  if (whole !== undefined) return whole
  const address = parseAddress(word.text)
  const key = address.ok && isIP(address.value.host) !== 0 ? addressKey(address.value.host) : undefined
  if (key === undefined) reader.refuse(word, `"${word.text}" is neither an address nor "*"`)
  return key ?? ''
}

const refused = answered(NAME, emptyAnswer(rcodes.REFUSED))
const notForThisClient = answered(
  NAME,
  // RFC 8914 §4.19.
  emptyAnswer(rcodes.REFUSED, {
    extendedErrors: [{ code: extendedErrorCodes.PROHIBITED, text: 'this client may not have the zone' }],
  }),
)
// RFC 5936 §2.2.1: "NotAuth" for a zone that the server does not have.
const noSuchZone = answered(NAME, emptyAnswer(rcodes.NOTAUTH))
const noSerial = answered(NAME, emptyAnswer(rcodes.FORMERR))

class Transfer implements Plugin {
  readonly name = NAME
  readonly #settings: Settings
  readonly #block: BlockContext

  constructor(settings: Settings, block: BlockContext) {
    this.#settings = settings
    this.#block = block
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName: name, type } = query.question
    if (type !== recordTypes.AXFR && type !== recordTypes.IXFR) return next(query)
    if (!this.#settings.zones.some(zone => isSubdomain(name, zone))) return next(query)
    if (!this.#isAllowed(query)) return notForThisClient
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

  #isAllowed({ client }: Query): boolean {
    const { to } = this.#settings
    const key = addressKey(client.address)
    return to === undefined || (key !== undefined && to.has(key))
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
