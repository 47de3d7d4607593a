/** Records that services and endpoints share: addresses, and SRV with its glue. */
import type { ServicePortView } from '#watcher/service-port.ts'
import { recordTypes } from '../wire/codes.ts'
import { joinName } from '../wire/name.ts'
import { srvData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { type AddressKey, addressData, addressType } from './address.ts'
import { makeRecord, type Owner, type RecordSet } from './node.ts'

/** One address behind one port: what an SRV record points to, before doubles are taken out. */
export interface SrvTuple {
  readonly target: DnsName
  readonly port: number
  /** Undefined: the target is a name elsewhere. */
  readonly key: AddressKey | undefined
}

/** A and AAAA of one owner, each address once; undefined where the family has none. */
export const addressRecords = (
  { settings }: Pick<Owner, 'settings'>,
  owner: DnsName,
  type: number,
  keys: Iterable<AddressKey>,
): RecordSet | undefined => {
  const answers: ResourceRecord[] = []
  for (const key of new Set(keys)) {
    const data = addressData(key)
    if (addressType(data) === type) answers.push(makeRecord(owner, type, settings.ttl, data))
  }
  return answers.length > 0 ? { answers } : undefined
}

/**
 * SRV records with the addresses of their targets. Priority 0; all weigh the same, by how many tuples there are
 * before doubles are taken out (CoreDNS; the specification leaves weights open).
 */
export const srvRecords = ({ settings, owner }: Owner, tuples: readonly SrvTuple[]): RecordSet | undefined => {
  if (tuples.length === 0) return undefined
  const weight = Math.max(1, Math.floor(100 / tuples.length))
  const answers: ResourceRecord[] = []
  const additional: ResourceRecord[] = []
  const elsewhere = new Set<DnsName>()
  // By target, the one long text: keys that contain it would each be a text to build and to hash.
  const seen = new Map<DnsName, { readonly ports: Set<number>; readonly keys: Set<AddressKey> }>()
  for (const { target, port, key } of tuples) {
    const { ports, keys } = seen.get(target) ?? { ports: new Set(), keys: new Set() }
    if (ports.size === 0) seen.set(target, { ports, keys })
    if (!ports.has(port)) {
      ports.add(port)
      const data = srvData.encode({ priority: 0, weight, port, target })
      answers.push(makeRecord(owner, recordTypes.SRV, settings.ttl, data))
    }
    if (key === undefined) {
      elsewhere.add(target)
      continue
    }
    if (!keys.has(key)) {
      keys.add(key)
      const data = addressData(key)
      additional.push(makeRecord(target, addressType(data), settings.ttl, data))
    }
  }
  return {
    answers,
    additional,
    ...(elsewhere.size > 0 && { elsewhere: [...elsewhere] }),
  }
}

export interface PortFilter {
  readonly port: string
  readonly protocol: string
}

/** Ports that a `_port._proto` name means: named ones only (DNS specification §2.3.2). Without a filter: all. */
export const matchPorts = (ports: readonly ServicePortView[], filter?: PortFilter): readonly ServicePortView[] =>
  filter ? ports.filter(({ name, protocol }) => name === filter.port && protocol === filter.protocol) : ports

/** Whether `_proto.<service>` has a name below it. */
export const hasProtocol = (ports: readonly ServicePortView[], protocol: string): boolean =>
  ports.some(port => port.name !== '' && port.protocol === protocol)

/** RFC 1035 §2.3.4: a name of more than 255 bytes does not exist. Without escapes, the text is one byte shorter. */
export const isTooLong = (name: DnsName): boolean => name.length > 254

export const serviceName = (service: { namespace: string; name: string }, zone: DnsName): DnsName =>
  joinName([service.name, service.namespace, 'svc'], zone)
