/**
 * dns64: for clients that have IPv6 alone, addresses of NAT64 in place of those of IPv4 that a name has (RFC 6147 §5.1).
 */
import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { whenKnown } from '#lib/maybe-promise.ts'
import { questionFor } from '../ask-again.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Word } from '../corefile/syntax.ts'
import { type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type Answer, answered, type Verdict } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { soaData } from '../wire/rdata.ts'
import type { ResourceRecord } from '../wire/record.ts'

const options = {
  prefix: {
    kind: 'words',
    syntax: 'PREFIX',
    minimum: 1,
    maximum: 1,
    absent: '64:ff9b::/96',
    doc: 'the prefix of the NAT64: /32, /40, /48, /56, /64 or /96 (RFC 6052 §2.2)',
  },
  translate_all: { kind: 'flag', doc: 'also for names that have addresses of IPv6' },
  allow_ipv4: { kind: 'flag', doc: 'also for clients that ask over IPv4' },
} as const satisfies PropertyTable

const metrics = {
  translated: {
    kind: 'counter',
    name: 'coredns_dns64_requests_translated_total',
    help: 'Questions that were answered with addresses of NAT64.',
    labels: ['server'],
  },
} as const satisfies MetricTable

/** RFC 6052 §2.1. */
const WELL_KNOWN = '64:ff9b::/96'
const prefixLengths: readonly number[] = [32, 40, 48, 56, 64, 96]
/** RFC 6147 §5.1.7: where the denial has no SOA. */
const LONGEST_TTL = 600

/** The bytes of an address whose IPv4 part is zero. */
interface Prefix {
  readonly bytes: Buffer
  /** Bits. */
  readonly length: number
}

export const dns64Plugin: PluginModule = {
  name: 'dns64',
  options,
  metrics,
  setup(directive, _block, { registry }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(1)
    const { prefix: line, translate_all: translatesAll, allow_ipv4: allowsIpv4 } = reader.properties(options)
    const prefix = readPrefix(reader, line[0]?.arguments[0] ?? directive.arguments[0])
    return reader.finish((): Plugin => {
      const { translated } = registerMetrics(registry, metrics)
      const translate = async (query: Query, next: Next, first: Verdict): Promise<Verdict> => {
        const question = questionFor(query, query.question.name, recordTypes.A)
        const second = question && (await next(question))
        const verdict = second ? combine(first, second, prefix) : first
        if (verdict !== first) {
          translated.inc({ server: query.server })
          query.trace?.add('dns64', 'addresses are of NAT64')
        }
        return verdict
      }
      return {
        name: 'dns64',
        handle(query, next) {
          const isAsked = query.question.type === recordTypes.AAAA
          // RFC 6147 §5.5: who checks signatures itself would find ours missing.
          const validates = query.checkingDisabled && query.edns?.dnssecOk
          if (!isAsked || validates || (!allowsIpv4 && !isIPv6(query.client.address))) return next(query)
          return whenKnown(next(query), first =>
            needsTranslation(first, translatesAll) ? translate(query, next, first) : first,
          )
        },
      }
    })
  },
}

const readPrefix = (reader: DirectiveReader, word: Word | undefined): Prefix => {
  const text = word?.text ?? WELL_KNOWN
  const isPrefix = ipaddr.IPv6.isValidCIDR(text)
  const [address, length] = ipaddr.parseCIDR(isPrefix ? text : WELL_KNOWN)
  const bytes = Buffer.from(address.toByteArray())
  // RFC 6052 §2.2: bits 64 to 71 are zero.
  const isFit = isPrefix && prefixLengths.includes(length) && bytes[8] === 0 && isZero(bytes.subarray(length / 8))
  if (word && !isFit)
    reader.refuse(word, `"${text}" is not a prefix of NAT64 (IPv6, of ${prefixLengths.join(', ')} bits; RFC 6052 §2.2)`)
  return { bytes, length }
}

const isZero = (bytes: Buffer): boolean => bytes.every(byte => byte === 0)

/** RFC 6147 §5.1.2: NXDOMAIN is of all types; every other failure counts as "no address". */
const needsTranslation = (verdict: Verdict, translatesAll: boolean): boolean => {
  if (verdict.verdict !== 'answered') return verdict.verdict === 'unhandled'
  const { rcode, answers } = verdict.answer
  if (rcode === rcodes.NXDOMAIN) return false
  return translatesAll || !answers.some(record => record.type === recordTypes.AAAA && !isMapped(record.data))
}

/** ::ffff:0:0/96, which are no addresses of IPv6 to a client (RFC 6147 §5.1.4). */
const isMapped = (data: Buffer): boolean => isZero(data.subarray(0, 10)) && data.readUInt16BE(10) === 0xffff

/** The answer with addresses of IPv4 turned; what came first where there are none. */
const combine = (first: Verdict, second: Verdict, prefix: Prefix): Verdict => {
  if (second.verdict !== 'answered') return first
  const { answer } = second
  if (answer.rcode !== rcodes.NOERROR || !answer.answers.some(({ type }) => type === recordTypes.A)) return first
  const limit = first.verdict === 'answered' ? denialTtl(first.answer) : LONGEST_TTL
  const answers = answer.answers.map(record => (record.type === recordTypes.A ? turn(record, prefix, limit) : record))
  // RFC 6147 §5.4, §5.5: what was made up is not secure; the rest of A's answer holds.
  return answered('dns64', { ...answer, answers, authenticData: false })
}

/** RFC 6147 §5.1.7: no longer than the denial of AAAA would have been kept. */
const denialTtl = ({ authority }: Answer): number => {
  const soa = authority.find(({ type }) => type === recordTypes.SOA)
  return soa ? Math.min(soa.ttl, soaData.decode(soa.data).minimum) : LONGEST_TTL
}

const turn = (record: ResourceRecord, { bytes, length }: Prefix, limit: number): ResourceRecord => {
  const data = Buffer.from(bytes)
  let at = length / 8
  for (const byte of record.data) {
    if (at === 8) at++
    data[at++] = byte
  }
  return { ...record, type: recordTypes.AAAA, ttl: Math.min(record.ttl, limit), data }
}
