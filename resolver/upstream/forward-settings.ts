/** What a `forward` directive may say, as data, and how it is read. */
import { isIP } from 'node:net'
import type { DirectiveReader, PropertyTable, PropertyValues } from '../corefile/directive-reader.ts'
import type { Directive, Word } from '../corefile/syntax.ts'
import { parseRcode } from '../wire/codes.ts'
import type { DnsName } from '../wire/record.ts'
import type { HealthOptions } from './health.ts'
import { dohMethods } from './https.ts'
import { policies } from './pool.ts'
import { parseDestination, type UpstreamTarget } from './target.ts'

const many = Number.POSITIVE_INFINITY

const specialNames = ['site', 'never', 'always'] as const

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
    maximum: 86_400_000,
    doc: 'how long an idle TCP or TLS connection is kept',
  },
  max_idle_conns: {
    kind: 'number',
    syntax: 'INTEGER',
    default: 0,
    minimum: 0,
    maximum: 65_535,
    unit: 'connections',
    doc: 'TCP or TLS connections to each upstream; 0: up to 4. A further one is opened when 64 questions wait on each',
  },
  max_age: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 0,
    minimum: 0,
    maximum: 86_400_000,
    doc: 'how long a connection takes questions, however busy it is; 0s: without end',
  },
  read_timeout: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 2000,
    minimum: 10,
    maximum: 60_000,
    doc: 'how long one upstream is waited for; a question has 5s for all of them, or this if it is longer',
  },
  source_address: {
    kind: 'words',
    syntax: 'ADDRESS [ADDRESS]',
    minimum: 1,
    maximum: 2,
    absent: 'the system’s choice',
    doc: 'the addresses to ask from, one IPv4, one IPv6',
  },
  resolver: {
    kind: 'words',
    syntax: 'ADDRESS…',
    minimum: 1,
    maximum: 15,
    absent: 'those of /etc/resolv.conf',
    doc: 'the servers (IP addresses with or without `:PORT`) that know the addresses of upstreams given by name',
  },
  max_fails: {
    kind: 'number',
    syntax: 'INTEGER',
    default: 2,
    minimum: 0,
    maximum: 1000,
    unit: 'failures',
    doc: 'probes without a reply, in a row, after which an upstream is down; 0: never, and no probes',
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
  doh_method: {
    kind: 'choice',
    syntax: dohMethods.join('|'),
    choices: dohMethods,
    default: 'POST',
    doc: 'how `https://` upstreams are asked (RFC 8484 §4.1)',
  },
  policy: {
    kind: 'choice',
    syntax: policies.join('|'),
    choices: policies,
    default: 'fastest',
    doc: 'which upstream comes first',
  },
  health_check: {
    kind: 'words',
    syntax: 'DURATION [no_rec] [domain NAME]',
    minimum: 1,
    maximum: 4,
    absent: '500ms, with RD, domain `.`',
    doc: 'first time between probes (100ms to 1h) of an upstream that failed, doubling up to 10s; without the RD bit; the name whose NS is asked',
  },
  max_concurrent: {
    kind: 'number',
    syntax: 'MAX',
    default: 0,
    minimum: 0,
    maximum: 1_000_000,
    unit: 'queries',
    doc: 'queries under way above which further ones are REFUSED; 0: 10000, shared among all `forward` lines',
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
    doc: 'SERVFAIL at once when all upstreams are down, instead of trying each once in a `health_check`',
  },
  special_names: {
    kind: 'choice',
    syntax: specialNames.join('|'),
    choices: specialNames,
    default: 'site',
    doc: 'where names go that mean something on this site only: to upstreams on it, to none, to any',
  },
  search_domains: {
    kind: 'words',
    syntax: 'NAME…',
    minimum: 1,
    maximum: many,
    repeatable: true,
    absent: 'none',
    doc: 'domains in which REFUSED and SERVFAIL of an upstream become NXDOMAIN, so that a stub’s search goes on',
  },
} as const satisfies PropertyTable

export interface ForwardSettings {
  readonly from: readonly DnsName[]
  readonly except: readonly DnsName[]
  readonly health: HealthOptions
  readonly next: ReadonlySet<number>
  readonly failover: ReadonlySet<number>
  readonly searchDomains: readonly DnsName[]
  /** To ask from; at most one a family. */
  readonly sources: readonly string[]
  /** Servers that know the addresses of host names; empty: the system's. */
  readonly resolvers: readonly UpstreamTarget[]
  readonly values: PropertyValues<typeof forwardOptions>
}

export const readForwardSettings = (
  reader: DirectiveReader,
  directive: Directive,
  values: PropertyValues<typeof forwardOptions>,
): ForwardSettings => {
  const [from, ...to] = directive.arguments
  const noError = values.failover.flatMap(property => property.arguments).find(word => parseRcode(word.text) === 0)
  if (noError) reader.refuse(noError, `"${noError.text}" is no failure that another upstream could mend`)
  if (!from || to.length === 0) reader.refuse(directive.name, 'needs a zone and the servers for it: forward FROM TO…')
  const rcodesOf = (properties: readonly { readonly arguments: readonly Word[] }[]) =>
    new Set(properties.flatMap(property => property.arguments.map(word => readRcode(reader, word))))
  const zonesOf = (properties: readonly { readonly arguments: readonly Word[] }[]) =>
    reader.zones(
      properties.flatMap(property => property.arguments),
      [],
    )
  return {
    from: from ? reader.zones([from], []) : [],
    except: zonesOf(values.except),
    health: readHealth(reader, values),
    next: rcodesOf(values.next),
    failover: rcodesOf(values.failover),
    searchDomains: zonesOf(values.search_domains),
    sources: readSources(reader, values.source_address[0]?.arguments ?? []),
    resolvers: readResolvers(reader, values.resolver[0]?.arguments ?? []),
    values,
  }
}

const readSources = (reader: DirectiveReader, words: readonly Word[]): readonly string[] => {
  const families = new Set<number>()
  for (const word of words) {
    const family = isIP(word.text)
    if (family === 0) reader.refuse(word, `"${word.text}" is not an IP address`)
    if (families.has(family)) reader.refuse(word, `"${word.text}" is a second address of its family`)
    families.add(family)
  }
  return words.map(({ text }) => text)
}

const readResolvers = (reader: DirectiveReader, words: readonly Word[]): readonly UpstreamTarget[] =>
  words.flatMap(word => {
    const read = parseDestination(word.text)
    if (read.ok && read.value.kind === 'server' && read.value.target.protocol === 'dns') return [read.value.target]
    reader.refuse(word, `"${word.text}" is not the address of a server (like 192.0.2.1 or [2001:db8::1]:5353)`)
    return []
  })

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
