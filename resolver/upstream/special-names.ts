/**
 * Names that no server on the Internet has anything to say about, so that asking one only tells it what it should not
 * know (RFC 6761, RFC 6303 and those that add to their registries). Some mean nothing anywhere; some mean something on
 * this site, and the site's own resolvers may know it.
 */
import { BlockList, isIPv6 } from 'node:net'
import type { Question } from '../query.ts'
import { type Answer, emptyAnswer } from '../verdict.ts'
import { classes, extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { isSubdomain, parentName, ROOT } from '../wire/name.ts'
import { aaaaData, aData, nameData, soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

export interface SpecialZone {
  readonly zone: DnsName
  /** `nowhere`: nobody has it. `site`: a resolver of this site may have it. */
  readonly reach: 'nowhere' | 'site'
  readonly source: string
}

const numbers = (first: number, last: number): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

const listed: readonly (readonly [SpecialZone['reach'], source: string, zones: readonly DnsName[]])[] = [
  ['nowhere', 'RFC 6761 §6.3', ['localhost.']],
  ['nowhere', 'RFC 6761 §6.4', ['invalid.']],
  ['nowhere', 'RFC 7686 §2', ['onion.']],
  ['nowhere', 'RFC 9476 §2', ['alt.']],
  // Forwarded, it would send the clients around this server.
  ['nowhere', 'RFC 9462 §6.4', ['resolver.arpa.']],
  ['nowhere', 'RFC 6303 §4.2', ['0.in-addr.arpa.', '127.in-addr.arpa.', '255.255.255.255.in-addr.arpa.']],
  ['nowhere', 'RFC 6303 §4.3', ['0', '1'].map(digit => `${digit}.${'0.'.repeat(31)}ip6.arpa.`)],
  ['site', 'RFC 6761 §6.2', ['test.']],
  ['site', 'RFC 6762 §12', ['local.', '254.169.in-addr.arpa.']],
  ['site', 'RFC 8375 §4', ['home.arpa.']],
  ['site', 'reserved by ICANN for private use', ['internal.']],
  ['site', 'RFC 6303 §4.1', ['10.in-addr.arpa.', '168.192.in-addr.arpa.']],
  ['site', 'RFC 6303 §4.1', numbers(16, 31).map(octet => `${octet}.172.in-addr.arpa.`)],
  ['site', 'RFC 7793 §3', numbers(64, 127).map(octet => `${octet}.100.in-addr.arpa.`)],
  ['site', 'RFC 6303 §4.2', ['2.0.192', '100.51.198', '113.0.203'].map(net => `${net}.in-addr.arpa.`)],
  ['site', 'RFC 6303 §4.4', ['d.f.ip6.arpa.']],
  ['site', 'RFC 6303 §4.5', ['8', '9', 'a', 'b'].map(digit => `${digit}.e.f.ip6.arpa.`)],
  ['site', 'RFC 6303 §4.6', ['8.b.d.0.1.0.0.2.ip6.arpa.']],
]

const zonesByName = new Map<DnsName, SpecialZone>(
  listed.flatMap(([reach, source, zones]) => zones.map(zone => [zone, { zone, reach, source }] as const)),
)

const lastLabelOf = (name: DnsName): string => name.slice(name.lastIndexOf('.', name.length - 2) + 1)
const lastLabels = new Set([...zonesByName.keys()].map(lastLabelOf))

/** The special zone of a question; undefined: there is none. */
export const findSpecialZone = ({ canonicalName, type }: Question): SpecialZone | undefined => {
  // It tells nearly all names apart.
  if (!lastLabels.has(lastLabelOf(canonicalName))) return undefined
  for (let name: DnsName | undefined = canonicalName; name !== undefined && name !== ROOT; name = parentName(name)) {
    const found = zonesByName.get(name)
    // RFC 8375 §5: whether the zone is signed is the parent's to say.
    if (found) return type === recordTypes.DS && name === canonicalName ? undefined : found
  }
  return undefined
}

/** Where site names may be sent: addresses that are nobody's on the Internet. */
const siteNetworks = new BlockList()
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
  // The resolver of each virtual network of Azure, in spite of its looks.
  ['168.63.129.16', 32],
] as const)
  siteNetworks.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['fc00::', 7],
  ['fe80::', 10],
  ['::1', 128],
] as const)
  siteNetworks.addSubnet(network, prefix, 'ipv6')

export const isOnSite = (address: string): boolean => {
  const plain = address.replace(/%.*$/, '')
  return siteNetworks.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}

/** Short: a server block for the name may be written at any time. */
const TTL = 300

const soaOf = (zone: DnsName): ResourceRecord => ({
  name: zone,
  type: recordTypes.SOA,
  class: classes.IN,
  ttl: TTL,
  // RFC 6303 §3: the zone itself, and nobody to write to.
  data: soaData.encode({
    mname: zone,
    rname: 'nobody.invalid.',
    serial: 1,
    refresh: 3600,
    retry: 1200,
    expire: 604_800,
    minimum: TTL,
  }),
})

type DataByType = Readonly<Record<number, Buffer>>

const loopback: DataByType = {
  [recordTypes.A]: aData.encode('127.0.0.1'),
  [recordTypes.AAAA]: aaaaData.encode('::1'),
}

/** What this server says itself: an empty zone (RFC 6303 §3), and what is known of `localhost`. */
export const answerSpecialName = ({ name, canonicalName, type }: Question, { zone, source }: SpecialZone): Answer => {
  const record = (data: Buffer): ResourceRecord => ({ name, type, class: classes.IN, ttl: TTL, data })
  const soa = soaOf(zone)
  const text = `${zone} is not for public servers (${source}): a server block or "forward ${zone} …" has it asked`
  const fields = { authoritative: true, extendedErrors: [{ code: extendedErrorCodes.OTHER, text }] }
  if (zone === 'localhost.') {
    // RFC 6761 §6.3, 4.
    const data = loopback[type]
    if (data) return emptyAnswer(rcodes.NOERROR, { authoritative: true, answers: [record(data)] })
    return emptyAnswer(rcodes.NOERROR, { ...fields, authority: [soa] })
  }
  if (canonicalName === zone) {
    const apex: DataByType = { [recordTypes.SOA]: soa.data, [recordTypes.NS]: nameData.encode(zone) }
    const data = apex[type]
    if (data) return emptyAnswer(rcodes.NOERROR, { authoritative: true, answers: [record(data)] })
  }
  // RFC 9462 §6.4: NODATA, whatever the name.
  const exists = canonicalName === zone || zone === 'resolver.arpa.'
  return emptyAnswer(exists ? rcodes.NOERROR : rcodes.NXDOMAIN, { ...fields, authority: [soa] })
}

/**
 * A name of the cluster with a search domain behind it (`web.shop.svc.cluster.local.corp.example.`): what a stub makes of
 * a name that the cluster has denied. `clusterZones`: canonical.
 */
export const isSearchedClusterName = (canonicalName: DnsName, clusterZones: readonly DnsName[]): boolean =>
  canonicalName.includes('.svc.') &&
  clusterZones.some(zone => canonicalName.includes(`.svc.${zone}`) && !isSubdomain(canonicalName, zone))

export const searchedClusterName: Answer = emptyAnswer(rcodes.NXDOMAIN, {
  extendedErrors: [
    { code: extendedErrorCodes.OTHER, text: 'a name of the cluster with a search domain behind it is nobody’s' },
  ],
})
