/**
 * The addresses of Services. Each is an IPAddress object named by the address, written in the transaction of the
 * Service that takes it: the key can come into being once, so no address has two Services however many apiservers
 * there are, and none is lost or kept by a write that fails half-way.
 */

import { fieldInvalid } from '#cluster/api/field-error.ts'
import type { IpFamily } from '#cluster/api/ip.ts'
import { ipAddressKind } from '#cluster/api/kinds/ip-address.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import { serviceCidrKind } from '#cluster/api/kinds/service-cidr.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'
import { internalError, invalid, type Status } from '#cluster/api/status.ts'
import type { Random } from '#lib/random.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { PlanContext } from '../planner.ts'
import { type AddressRange, canonicalAddress, chooseAddress, contains, parseRange } from './address-range.ts'
import { type ClusterFamilies, familiesOf } from './ip-families.ts'
import { holdsAddresses } from './service.ts'

/** The ServiceCIDR made at start; its first CIDR's family is that of Services that ask for none. */
const DEFAULT_CIDR = 'kubernetes'

interface ServiceCidr extends ApiObject {
  spec?: { cidrs?: string[] }
  status?: { conditions?: { type: string; status: string }[] }
}

/** A ServiceCIDR that goes, or that is said not to be ready, gives no new addresses. */
const isReady = ({ metadata, status }: ServiceCidr): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value !== 'True') !== true

export interface ServiceRanges {
  /** Those that give addresses now, the default one's first. */
  readonly ready: readonly AddressRange[]
  readonly families: ClusterFamilies
}

const rangesOf = (objects: readonly ServiceCidr[]): AddressRange[] =>
  objects.flatMap(({ spec }) => (spec?.cidrs ?? []).map(parseRange).filter(range => range !== undefined))

/** A family stays offered while its ServiceCIDR goes: Services that have it must still be writable. */
export const serviceRanges = (context: PlanContext): ServiceRanges => {
  const rank = ({ metadata }: ServiceCidr) => (metadata.name === DEFAULT_CIDR ? 0 : 1)
  const objects = ([...context.list(serviceCidrKind)] as ServiceCidr[]).sort((a, b) => rank(a) - rank(b))
  const all = rangesOf(objects)
  return {
    ready: rangesOf(objects.filter(isReady)),
    families: { preferred: all[0]?.family ?? 'IPv4', offered: new Set(all.map(range => range.family)) },
  }
}

/** The addresses that a Service has taken. */
export const addressesOf = (spec: ServiceSpec | undefined): readonly string[] =>
  spec && holdsAddresses(spec) ? (spec.clusterIPs ?? []) : []

const addressObject = (name: string, family: IpFamily, { metadata }: ApiObject): ApiObject => ({
  apiVersion: apiVersionOf(ipAddressKind),
  kind: ipAddressKind.kind,
  metadata: {
    name,
    labels: { 'ipaddress.kubernetes.io/ip-family': family, 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
  },
  spec: { parentRef: { group: '', resource: 'services', namespace: metadata.namespace, name: metadata.name } },
})

/** The Service that an IPAddress is recorded for; undefined: it is not for one. */
export const parentService = ({
  spec,
}: ApiObject): { readonly namespace: string; readonly name: string } | undefined => {
  const { parentRef = {} } = (spec ?? {}) as { parentRef?: Record<string, string> }
  const { group = '', resource, namespace = '', name = '' } = parentRef
  return group === '' && resource === 'services' ? { namespace, name } : undefined
}

const belongsTo = (address: ApiObject, { metadata }: ApiObject): boolean => {
  const parent = parentService(address)
  return parent !== undefined && parent.namespace === metadata.namespace && parent.name === metadata.name
}

const choose = (
  context: PlanContext,
  ranges: readonly AddressRange[],
  family: IpFamily,
  random: Random,
): Result<string, Status> => {
  const taken = (name: string) => context.get(ipAddressKind, undefined, name) !== undefined
  for (const range of ranges) {
    const address = range.family === family ? chooseAddress(range, random, taken) : undefined
    if (address !== undefined) return accepted(address)
  }
  return refused(internalError('failed to allocate a serviceIP: range is full'))
}

/** Why `address` cannot be had, in Kubernetes's words; undefined when it can. */
const refusal = (context: PlanContext, ranges: readonly AddressRange[], address: string): string | undefined => {
  if (!ranges.some(range => contains(range, address))) return 'the provided network does not match the current range'
  const name = canonicalAddress(address)
  const taken = name !== undefined && context.get(ipAddressKind, undefined, name) !== undefined
  return taken ? 'provided IP is already allocated' : undefined
}

const request = (context: PlanContext, ranges: readonly AddressRange[], address: string): Result<string, Status> => {
  const problem = refusal(context, ranges, address)
  if (problem === undefined) return accepted(address)
  const { clusterIPs } = context.object.spec as ServiceSpec
  const error = fieldInvalid('spec.clusterIPs', clusterIPs, `failed to allocate IP ${address}: ${problem}`)
  return refused(invalid({ ...serviceKind, name: context.object.metadata.name ?? '' }, [error]))
}

export interface AddressWork {
  readonly ranges: readonly AddressRange[]
  readonly random: Random
}

const take = (
  context: PlanContext,
  { ranges, random }: AddressWork,
  family: IpFamily,
  wanted: string,
): Result<string, Status> => {
  const address = wanted === '' ? choose(context, ranges, family, random) : request(context, ranges, wanted)
  if (!address.ok) return address
  const name = canonicalAddress(address.value) ?? address.value
  context.create(ipAddressKind, addressObject(name, family, context.object))
  return address
}

/**
 * Gives `next` one address for each of its `ipFamilies`, takes back those of `previous` that it has no more. All
 * changes of type are this one difference of two sets.
 */
export const planClusterIps = (
  context: PlanContext,
  work: AddressWork,
  next: ServiceSpec,
  previous: ServiceSpec | undefined,
): Result<void, Status> => {
  const held = new Set(addressesOf(previous))
  if (holdsAddresses(next)) {
    const addresses: string[] = []
    for (const [index, family] of familiesOf(next).entries()) {
      const wanted = next.clusterIPs?.[index] ?? ''
      const address = held.has(wanted) ? accepted(wanted) : take(context, work, family, wanted)
      if (!address.ok) return address
      addresses.push(address.value)
    }
    next.clusterIPs = addresses
    next.clusterIP = addresses[0] ?? ''
  }
  const kept = new Set(addressesOf(next))
  for (const address of held) if (!kept.has(address)) releaseAddress(context, address)
  return accepted(undefined)
}

const releaseAddress = (context: PlanContext, address: string): void => {
  const object = context.get(ipAddressKind, undefined, canonicalAddress(address) ?? address)
  if (object && belongsTo(object, context.object)) context.remove(ipAddressKind, object)
}

export const releaseClusterIps = (context: PlanContext, spec: ServiceSpec): void => {
  for (const address of addressesOf(spec)) releaseAddress(context, address)
}
