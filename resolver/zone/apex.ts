/** The zone's own names: SOA, NS, `ns.dns` and `dns-version` (Kubernetes DNS specification 1.1 §2.2). */
import { recordTypes } from '../wire/codes.ts'
import { joinName } from '../wire/name.ts'
import { nameData, soaData, txtData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { type AddressKey, addressData, addressKeys, addressType } from './address.ts'
import { endpointFullName } from './headless.ts'
import { type Lookup, makeRecord, type Node, type RecordSet } from './node.ts'
import type { ServiceEntry } from './service-entry.ts'
import { addressRecords, serviceName } from './service-records.ts'

/** Seconds. The version of the schema never changes while a server runs. */
const VERSION_TTL = 28_800
/** Kubernetes DNS specification 1.1 §1; KEP-1645's specification §1. */
const SCHEMA_VERSION = { cluster: '1.1.0', clusterset: '1.0.0' } as const
/** Seconds: a negative answer is never kept longer, whatever `ttl` says. */
const MAXIMUM_SOA_TTL = 300
/** Seconds: for secondaries. */
const SOA_TIMERS = { refresh: 7200, retry: 1800, expire: 86_400 } as const

/** RFC 2308 §3: the SOA of negative answers, spelled as the question spelled the zone. */
export const soaRecord = ({ index, settings, zoneText }: Lookup): ResourceRecord =>
  makeSoa(zoneText, {
    mname: joinName(['ns', 'dns'], zoneText),
    rname: joinName(['hostmaster'], zoneText),
    serial: index.serial,
    ttl: settings.negativeTtl,
  })

export interface SoaFields {
  readonly mname: DnsName
  readonly rname: DnsName
  readonly serial: number
  /** Seconds: of answers that there is nothing. */
  readonly ttl: number
}

export const makeSoa = (zone: DnsName, { mname, rname, serial, ttl }: SoaFields): ResourceRecord => {
  const data = soaData.encode({ mname, rname, serial, ...SOA_TIMERS, minimum: ttl })
  return makeRecord(zone, recordTypes.SOA, Math.min(ttl, MAXIMUM_SOA_TTL), data)
}

export const apexNode = (lookup: Lookup): Node => ({
  kind: 'present',
  records: type => {
    // RFC 2308 §3: the record's TTL is the MINIMUM only where it stands for what does not exist.
    if (type === recordTypes.SOA)
      return { answers: [{ ...soaRecord(lookup), ttl: Math.min(lookup.settings.ttl, MAXIMUM_SOA_TTL) }] }
    return type === recordTypes.NS ? nameServerRecords(lookup) : undefined
  },
})

/** `ns.dns.<zone>`: the MNAME of the SOA has the addresses of this DNS service. */
export const nameServerNode = (lookup: Lookup): Node => ({
  kind: 'present',
  records: type => {
    if (type !== recordTypes.A && type !== recordTypes.AAAA) return undefined
    const keys = nameServers(lookup).flatMap(({ addresses }) => addresses)
    return addressRecords(lookup, lookup.owner, type, keys)
  },
})

export const versionNode = ({ owner, zone }: Lookup): Node => ({
  kind: 'present',
  records: type => {
    if (type !== recordTypes.TXT) return undefined
    const version = SCHEMA_VERSION[zone.kind === 'clusterset' ? 'clusterset' : 'cluster']
    return { answers: [makeRecord(owner, type, VERSION_TTL, txtData.encode([Buffer.from(version)]))] }
  },
})

interface NameServer {
  readonly name: DnsName
  /** Seconds. */
  readonly ttl: number
  readonly addresses: readonly AddressKey[]
}

const nameServerRecords = (lookup: Lookup): RecordSet => {
  const { zoneText, settings } = lookup
  const servers = nameServers(lookup)
  return {
    answers: servers.map(({ name }) => makeRecord(zoneText, recordTypes.NS, settings.ttl, nameData.encode(name))),
    additional: servers.flatMap(({ name, addresses, ttl }) =>
      addresses.map(key => {
        const data = addressData(key)
        return makeRecord(name, addressType(data), ttl, data)
      }),
    ),
  }
}

/** The services that this very server is an endpoint of; where there is none, the machine's own addresses. */
const nameServers = (lookup: Lookup): readonly NameServer[] => {
  const { localAddresses, zone, zoneText, settings } = lookup
  // Service names exist in the cluster's own zones only: another zone names the servers of the primary one.
  const home = zone.kind === 'cluster' ? zoneText : settings.primaryZone
  const entries = ownServices(lookup)
  if (entries.length > 0) return entries.flatMap(entry => serversOf(lookup, entry, home))
  return [{ name: joinName(['ns', 'dns'], home), addresses: addressKeys(localAddresses()), ttl: settings.ttl }]
}

/** The services that this very server is an endpoint of, whether `namespaces` serves them or not. */
export const ownServices = ({
  index,
  localAddresses,
}: Pick<Lookup, 'index' | 'localAddresses'>): readonly ServiceEntry[] => {
  return [...new Set(addressKeys(localAddresses()).flatMap(key => index.servicesAt(key)))]
}

const serversOf = ({ index, settings }: Lookup, entry: ServiceEntry, home: DnsName): readonly NameServer[] => {
  const addresses = addressKeys(entry.service?.clusterIPs ?? [])
  // Who asks for a name of a namespace that is not served gets NXDOMAIN: glue for it is nothing to keep.
  const ttl = index.hasNamespace(entry.namespace) ? settings.ttl : 0
  if (addresses.length > 0) return [{ name: serviceName(entry, home), addresses, ttl }]
  const byName = Map.groupBy(index.endpoints(entry).all, ({ name }) => name)
  return [...byName].map(([name, endpoints]) => ({
    name: endpointFullName(name, entry, home),
    ttl,
    addresses: endpoints.map(({ key }) => key),
  }))
}
