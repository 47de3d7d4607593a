/** IPAddress: one address taken by one object. Its name is the address, so nobody can take it twice. */
import { column } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import { validateCanonicalIp } from '../ip.ts'
import type { Kind } from '../kind.ts'
import { checkDnsSubdomain } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { isObject } from '../own-property.ts'

interface ParentReference {
  group?: string
  resource?: string
  namespace?: string
  name?: string
}

const parentOf = (address: ApiObject): ParentReference | undefined =>
  isObject(address.spec) && isObject(address.spec.parentRef) ? address.spec.parentRef : undefined

/** `services/my-namespace/my-svc`, group before it when there is one. */
const parentText = ({ group = '', resource = '', namespace = '', name = '' }: ParentReference): string =>
  [group === '' ? resource : `${resource}.${group}`, namespace, name].filter(part => part !== '').join('/')

const validate = (address: ApiObject): FieldError[] => {
  const parent = parentOf(address)
  if (!parent) return [fieldRequired('spec.parentRef')]
  const errors: FieldError[] = []
  const check = (field: keyof ParentReference, complaints: (value: string) => readonly string[]) => {
    const value = parent[field]
    if (!value) return
    for (const complaint of complaints(value)) errors.push(fieldInvalid(`spec.parentRef.${field}`, value, complaint))
  }
  check('group', checkDnsSubdomain)
  check('resource', checkPathSegment)
  check('namespace', checkPathSegment)
  check('name', checkPathSegment)
  if (!parent.resource) errors.push(fieldRequired('spec.parentRef.resource'))
  if (!parent.name) errors.push(fieldRequired('spec.parentRef.name'))
  return errors
}

/** What may be one part of a path. */
const checkPathSegment = (value: string): string[] => {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter(mark => value.includes(mark)).map(mark => `may not contain '${mark}'`)
}

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const [now, before] = [parentOf(next), parentOf(current)]
  return now && before && parentText(now) !== parentText(before)
    ? [fieldInvalid('spec.parentRef', now, 'field is immutable')]
    : []
}

export const ipAddressKind: Kind = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  resource: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  categories: [],
  namespaced: false,
  type: 'networking.k8s.io/v1.IPAddress',
  hasStatus: false,
  countsGenerations: false,
  validateName: name =>
    validateCanonicalIp('metadata.name', name).map(({ message }) =>
      message.slice(fieldInvalid('', name, '').message.length),
    ),
  validate,
  validateUpdate,
  columns: [
    column('ParentRef', 'The object that has the address.', address => {
      const parent = parentOf(address)
      return parent ? parentText(parent) : ''
    }),
  ],
}
