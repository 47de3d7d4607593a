/** What a `forward` directive may say, as data, and how it is read. */
import type { DirectiveReader, PropertyTable, PropertyValues } from '../corefile/directive-reader.ts'
import type { Directive, Word } from '../corefile/syntax.ts'
import { parseRcode } from '../wire/codes.ts'
import type { DnsName } from '../wire/record.ts'
import { policies } from './pool.ts'
import type { HealthOptions } from './upstream.ts'

const many = Number.POSITIVE_INFINITY

export const forwardOptions = {
  except: {
    kind: 'words',
    syntax: 'NAME…',
    minimum: 1,
    maximum: many,
    repeatable: true,
    absent: 'none',
    doc: 'zones below FROM that are passed on to the next plugin',
  },
  force_tcp: { kind: 'flag', doc: 'ask over TCP, whatever the client used' },
  prefer_udp: {
    kind: 'flag',
    doc: 'ask over UDP first, also for clients on TCP; over TCP when the reply is truncated',
  },
  expire: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 10_000,
    minimum: 1000,
    maximum: 3_600_000,
    doc: 'how long an idle TCP or TLS connection is kept',
  },
  max_idle_conns: {
    kind: 'number',
    syntax: 'INTEGER',
    default: 0,
    minimum: 0,
    maximum: 65_535,
    unit: 'connections',
    doc: 'accepted for CoreDNS’s sake: questions share one connection to each upstream (RFC 7766 §6.2.1)',
  },
  max_fails: {
    kind: 'number',
    syntax: 'INTEGER',
    default: 2,
    minimum: 0,
    maximum: 1000,
    unit: 'failures',
    doc: 'failures in a row after which an upstream is down; 0: never, and no probes',
  },
  max_connect_attempts: {
    kind: 'number',
    syntax: 'INTEGER',
    default: 0,
    minimum: 0,
    maximum: 1000,
    unit: 'attempts',
    doc: 'attempts for one question; 0: twice the number of upstreams',
  },
  tls: {
    kind: 'words',
    syntax: '[CERT KEY] [CA]',
    minimum: 0,
    maximum: 3,
    absent: 'the system’s CAs, no client certificate',
    doc: 'files in PEM: CA; or CERT and KEY; or all three',
  },
  tls_servername: {
    kind: 'words',
    syntax: 'NAME',
    minimum: 1,
    maximum: 1,
    absent: 'the certificate must name the IP address',
    doc: 'the name in the certificates of `tls://` upstreams',
  },
  policy: {
    kind: 'choice',
    syntax: policies.join('|'),
    choices: policies,
    default: 'random',
    doc: 'which upstream comes first',
  },
  health_check: {
    kind: 'words',
    syntax: 'DURATION [no_rec] [domain NAME]',
    minimum: 1,
    maximum: 4,
    absent: '500ms, with RD, domain `.`',
    doc: 'time between probes (100ms to 1h) of an upstream that failed; without the RD bit; the name whose NS is asked',
  },
  max_concurrent: {
    kind: 'number',
    syntax: 'MAX',
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    unit: 'queries',
    doc: 'queries under way above which further ones are REFUSED; 0: 10000, which bounds sockets and memory',
  },
  next: {
    kind: 'words',
    syntax: 'RCODE…',
    minimum: 1,
    maximum: many,
    repeatable: true,
    absent: 'none',
    doc: 'rcodes after which the next `forward` of the block is asked',
  },
  next_on_nodata: { kind: 'flag', doc: 'ask the next `forward` of the block when the name has no record of the type' },
  failover: {
    kind: 'words',
    syntax: 'RCODE…',
    minimum: 1,
    maximum: many,
    repeatable: true,
    absent: 'none',
    doc: 'rcodes (not NOERROR) after which the next upstream is asked',
  },
  failfast_all_unhealthy_upstreams: {
    kind: 'flag',
    doc: 'SERVFAIL at once when all upstreams are down, instead of trying one at random',
  },
} as const satisfies PropertyTable

export interface ForwardSettings {
  readonly from: readonly DnsName[]
  readonly except: readonly DnsName[]
  readonly health: HealthOptions
  readonly next: ReadonlySet<number>
  readonly failover: ReadonlySet<number>
  readonly values: PropertyValues<typeof forwardOptions>
}

export const readForwardSettings = (
  reader: DirectiveReader,
  directive: Directive,
  values: PropertyValues<typeof forwardOptions>,
): ForwardSettings => {
  const [from, ...to] = directive.arguments
  if (!from || to.length === 0) reader.refuse(directive.name, 'needs a zone and the servers for it: forward FROM TO…')
  const rcodesOf = (properties: readonly { readonly arguments: readonly Word[] }[]) =>
    new Set(properties.flatMap(property => property.arguments.map(word => readRcode(reader, word))))
  return {
    from: from ? reader.zones([from], []) : [],
    except: reader.zones(
      values.except.flatMap(property => property.arguments),
      [],
    ),
    health: readHealth(reader, values),
    next: rcodesOf(values.next),
    failover: rcodesOf(values.failover),
    values,
  }
}

const readRcode = (reader: DirectiveReader, word: Word): number => {
  const rcode = parseRcode(word.text)
  if (rcode === undefined) reader.refuse(word, `"${word.text}" is not an rcode (like SERVFAIL or NXDOMAIN)`)
  return rcode ?? 0
}

const readHealth = (reader: DirectiveReader, values: PropertyValues<typeof forwardOptions>): HealthOptions => {
  const [intervalWord, ...rest] = values.health_check[0]?.arguments ?? []
  const interval = intervalWord ? reader.duration(intervalWord, { minimum: 100, maximum: 3_600_000 }) : 500
  let recursionDesired = true
  let domain: DnsName = '.'
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]!
    if (reader.choice(word, ['no_rec', 'domain']) === 'no_rec') {
      recursionDesired = false
      continue
    }
    const name = rest[++at]
    if (name) domain = reader.zones([name], ['.'])[0] ?? '.'
    else reader.refuse(word, '"domain" needs a name')
  }
  return { interval, maximumFailures: values.max_fails, recursionDesired, domain }
}
