/**
 * Which address families a Service has (KEP-563): fills `ipFamilyPolicy` and `ipFamilies` from what the client said,
 * what the Service was and what the cluster offers. After it, `ipFamilies` has one entry for each address the
 * Service shall hold.
 */
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import { familyOf, type IpFamily } from '#cluster/api/ip.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'
import { hasSelector, isHeadless, mayHoldNodePorts, NONE } from './service.ts'

export interface ClusterFamilies {
  /** The family of a Service that asks for none. */
  readonly preferred: IpFamily
  readonly offered: ReadonlySet<IpFamily>
}

/** Validation has closed the set. */
export const familiesOf = ({ ipFamilies = [] }: ServiceSpec): readonly IpFamily[] => ipFamilies as IpFamily[]

const same = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a.length === b.length && a.every((entry, index) => entry === b[index])

const reduced = (next: readonly string[] = [], previous: readonly string[] = []): boolean =>
  next.length > 0 && next.length < previous.length

const other = (family: IpFamily): IpFamily => (family === 'IPv4' ? 'IPv6' : 'IPv4')

/**
 * A PreferDualStack Service keeps the families that it has when the cluster gains or loses one: only a change of the
 * policy, of the families or of the addresses brings it another.
 */
const keepsPreference = (next: ServiceSpec, previous: ServiceSpec): boolean =>
  next.ipFamilyPolicy === 'PreferDualStack' &&
  (previous.ipFamilyPolicy ?? 'PreferDualStack') === 'PreferDualStack' &&
  previous.type === next.type &&
  (next.type === 'ClusterIP' || mayHoldNodePorts(next)) &&
  same(previous.clusterIPs, next.clusterIPs) &&
  same(previous.ipFamilies, next.ipFamilies)

const defaultPolicy = (next: ServiceSpec, previous: ServiceSpec | undefined): string => {
  if (previous?.ipFamilyPolicy !== undefined) return previous.ipFamilyPolicy
  // Without a selector nobody but the user writes the endpoints: either family may come.
  return isHeadless(next) && !hasSelector(next) ? 'RequireDualStack' : 'SingleStack'
}

/** SingleStack drops the second entry that was there before; any other policy forbids to drop it in silence. */
const settleReduction = (next: ServiceSpec, previous: ServiceSpec): FieldError[] => {
  if (next.ipFamilyPolicy === 'SingleStack') {
    if (same(previous.clusterIPs, next.clusterIPs) && (next.clusterIPs?.length ?? 0) > 1)
      next.clusterIPs = next.clusterIPs!.slice(0, 1)
    if (same(previous.ipFamilies, next.ipFamilies) && (next.ipFamilies?.length ?? 0) > 1)
      next.ipFamilies = next.ipFamilies!.slice(0, 1)
    return []
  }
  const field = 'spec.ipFamilyPolicy'
  const errors: FieldError[] = []
  if (reduced(next.clusterIPs, previous.clusterIPs))
    errors.push(fieldInvalid(field, next.ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"))
  if (reduced(next.ipFamilies, previous.ipFamilies))
    errors.push(fieldInvalid(field, next.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"))
  return errors
}

const checkPolicy = ({ ipFamilyPolicy, clusterIPs = [], ipFamilies = [] }: ServiceSpec): FieldError[] => {
  if (ipFamilyPolicy !== 'SingleStack') return []
  const told = (what: string) =>
    fieldInvalid(
      'spec.ipFamilyPolicy',
      ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    )
  return [
    ...(clusterIPs.length === 2 ? [told('cluster IPs')] : []),
    ...(ipFamilies.length === 2 ? [told('IP families')] : []),
  ]
}

/** A requested address says its family, where `ipFamilies` does not. */
const inferFamilies = (spec: ServiceSpec, cluster: ClusterFamilies): FieldError[] => {
  const errors: FieldError[] = []
  const families = [...(spec.ipFamilies ?? [])]
  for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === NONE) break
    const family = familyOf(address)
    if (family === undefined || index < families.length) continue
    if (cluster.offered.has(family)) families.push(family)
    else
      errors.push(
        fieldInvalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, `${family} is not configured on this cluster`),
      )
  }
  if (families.length > 0) spec.ipFamilies = families
  return errors
}

const checkOffered = (spec: ServiceSpec, { offered }: ClusterFamilies): FieldError[] => {
  const { ipFamilyPolicy } = spec
  const errors: FieldError[] = []
  if (ipFamilyPolicy === 'RequireDualStack' && offered.size < 2)
    errors.push(
      fieldInvalid('spec.ipFamilyPolicy', ipFamilyPolicy, 'this cluster is not configured for dual-stack services'),
    )
  for (const [index, family] of familiesOf(spec).entries())
    if (!offered.has(family))
      errors.push(fieldInvalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'))
  return errors
}

/** Changes `next` in place. */
export const settleFamilies = (
  next: ServiceSpec,
  previous: ServiceSpec | undefined,
  cluster: ClusterFamilies,
): readonly FieldError[] => {
  if (next.type === 'ExternalName') return []
  if (previous && keepsPreference(next, previous)) return []
  next.ipFamilyPolicy ??= defaultPolicy(next, previous)

  const errors = [
    ...(previous ? settleReduction(next, previous) : []),
    ...checkPolicy(next),
    ...inferFamilies(next, cluster),
  ]
  if (errors.length > 0) return errors

  // Headless without selector: it may have families that the cluster gives no addresses of.
  const free = isHeadless(next) && !hasSelector(next)
  if (!free) {
    const refusals = checkOffered(next, cluster)
    if (refusals.length > 0) return refusals
  }
  const [primary = cluster.preferred, secondary] = familiesOf(next)
  const dual =
    secondary !== undefined || (next.ipFamilyPolicy !== 'SingleStack' && (free || cluster.offered.size === 2))
  next.ipFamilies = dual ? [primary, secondary ?? other(primary)] : [primary]
  return []
}
