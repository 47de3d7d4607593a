/** ServiceCIDR: ranges that Services take their addresses from; one range a family. */
import { isDeepStrictEqual } from 'node:util'
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired, fieldTooMany } from '../field-error.ts'
import { parseCidr, validateCanonicalCidr } from '../ip.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { isObject } from '../own-property.ts'

const cidrsOf = (object: ApiObject): string[] =>
  isObject(object.spec) && Array.isArray(object.spec.cidrs) ? object.spec.cidrs : []

const validate = (object: ApiObject): FieldError[] => {
  const cidrs = cidrsOf(object)
  if (cidrs.length === 0) return [fieldRequired('spec.cidrs', 'at least one CIDR required')]
  if (cidrs.length > 2) return [fieldTooMany('spec.cidrs', cidrs.length, 2)]
  const errors = cidrs.flatMap((cidr, index) => validateCanonicalCidr(`spec.cidrs[${index}]`, cidr))
  const families = new Set(cidrs.map(cidr => parseCidr(cidr)?.family))
  if (errors.length === 0 && families.size !== cidrs.length) {
    errors.push(
      fieldInvalid(
        'spec.cidrs',
        cidrs,
        'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ),
    )
  }
  return errors
}

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const [now, before] = [cidrsOf(next), cidrsOf(current)]
  if (isDeepStrictEqual(now, before)) return []
  // A single range may gain one of the other family.
  if (before.length === 1 && now.length === 2 && now[0] === before[0]) return []
  return [fieldInvalid('spec.cidrs', now, 'field is immutable')]
}

export const serviceCidrKind: Kind = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  singular: 'servicecidr',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'networking.k8s.io/v1.ServiceCIDR',
  hasStatus: true,
  statusKeepsMetadata: true,
  countsGenerations: false,
  validate,
  validateUpdate,
  columns: [column('CIDRs', 'The ranges, one a family.', object => cidrsOf(object).join(',')), ageColumn],
}
