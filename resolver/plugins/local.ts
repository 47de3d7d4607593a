/**
 * local: answers for `localhost`, names below and above it, and the addresses of loopback and of "this network", so that
 * they neither leave the machine nor fail (RFC 6761 §6.3, RFC 6303 §4.2).
 */
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { countedBy } from '../memo.ts'
import { type HitCount, lasting } from '../memo-terms.ts'
import { type MetricTable, registerMetrics } from '../metrics.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Question } from '../query.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { classes, rcodes, recordTypes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import { aaaaData, aData, nameData, soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

const metrics = {
  localhost: {
    kind: 'counter',
    name: 'coredns_local_localhost_requests_total',
    help: 'Questions for `localhost` with a domain behind it: search paths at work.',
    labels: [],
  },
} as const satisfies MetricTable

const options = {
  localhost_prefix: {
    kind: 'choice',
    syntax: 'on|off',
    choices: ['on', 'off'],
    default: 'on',
    doc: 'whether `localhost` with a domain behind it is loopback, too',
  },
} as const satisfies PropertyTable

/** A week: nothing here ever changes. */
const TTL = 604_800

const LOCALHOST = 'localhost.'
const reverseOf4 = '1.0.0.127.in-addr.arpa.'
const reverseOf6 = `1.${'0.'.repeat(31)}ip6.arpa.`
const zones: readonly DnsName[] = [LOCALHOST, '0.in-addr.arpa.', '127.in-addr.arpa.', '255.in-addr.arpa.', reverseOf6]
const pointers: readonly DnsName[] = [reverseOf4, reverseOf6]

type DataByType = Readonly<Record<number, Buffer>>

const soa = soaData.encode({
  mname: LOCALHOST,
  rname: 'root.localhost.',
  serial: 1,
  refresh: 0,
  retry: 0,
  expire: 0,
  minimum: TTL,
})
const apex: DataByType = { [recordTypes.SOA]: soa, [recordTypes.NS]: nameData.encode(LOCALHOST) }
const loopback: DataByType = {
  [recordTypes.A]: aData.encode('127.0.0.1'),
  [recordTypes.AAAA]: aaaaData.encode('::1'),
}
const pointer: DataByType = { [recordTypes.PTR]: nameData.encode(LOCALHOST) }

export const localPlugin: PluginModule = {
  name: 'local',
  options,
  metrics,
  setup(directive, _block, { registry }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    const hasPrefix = reader.properties(options).localhost_prefix === 'on'
    return reader.finish((): Plugin => {
      const { localhost } = registerMetrics(registry, metrics)
      const again: HitCount = { add: hits => localhost.inc(hits) }
      return {
        name: 'local',
        steady: true,
        handle(query, next) {
          const { question } = query
          const { canonicalName } = question
          const zone = zones.find(candidate => isSubdomain(canonicalName, candidate))
          if (zone) return withMemo(answerIn(zone, question))
          // `localhost.example.org.`: what a search path makes of `localhost`.
          if (!hasPrefix || !canonicalName.startsWith(LOCALHOST)) return next(query)
          localhost.inc()
          return countedBy(withMemo(setOf(loopback, question, canonicalName)), again)
        },
      }
    })
  },
}

/** The SOA's owner is not spelled as the question is. */
const withMemo = (answer: Answer): Verdict =>
  answered('local', answer, () => ({ ...lasting(), echoesCase: answer.authority.length === 0 }))

const answerIn = (zone: DnsName, question: Question): Answer => {
  const { canonicalName } = question
  if (zone === LOCALHOST) {
    // RFC 6761 §6.3: names below localhost are loopback addresses too.
    return setOf(canonicalName === zone ? { ...apex, ...loopback } : loopback, question, zone)
  }
  const sets: DataByType = {
    ...(canonicalName === zone && apex),
    ...(pointers.includes(canonicalName) && pointer),
  }
  const exists = canonicalName === zone || pointers.some(name => isSubdomain(name, canonicalName))
  return exists ? setOf(sets, question, zone) : denial(rcodes.NXDOMAIN, zone)
}

const setOf = (sets: DataByType, { name, type }: Question, zone: DnsName): Answer => {
  const data = sets[type]
  if (!data) return denial(rcodes.NOERROR, zone)
  return emptyAnswer(rcodes.NOERROR, { authoritative: true, answers: [record(name, type, data)] })
}

/** RFC 2308 §2: with the SOA of the zone. */
const denial = (rcode: number, zone: DnsName): Answer =>
  emptyAnswer(rcode, { authoritative: true, authority: [record(zone, recordTypes.SOA, soa)] })

const record = (name: DnsName, type: number, data: Buffer): ResourceRecord => ({
  name,
  type,
  class: classes.IN,
  ttl: TTL,
  data,
})
