/** Secret: bytes by key; some types promise certain keys. */
import { ageColumn, column } from '../column.ts'
import { checkKeys, checkUnchanged, sizeOfData } from '../data-keys.ts'
import { type FieldError, fieldInvalid, fieldRequired, fieldTooLong } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { setOwn } from '../own-property.ts'

interface Secret extends ApiObject {
  type?: string
  data?: Record<string, string>
  stringData?: Record<string, string>
  immutable?: boolean
}

const MAX_BYTES = 1024 * 1024

/** Type → keys that must be there. */
const REQUIRED_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
])
const JSON_KEYS = new Set(['.dockercfg', '.dockerconfigjson'])
const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name'

const applyDefaults = (object: ApiObject): void => {
  const secret = object as Secret
  secret.type ||= 'Opaque'
  if (secret.stringData === undefined) return
  // stringData is write-only: it ends as data, over what stands there.
  const data = { ...secret.data }
  for (const [key, text] of Object.entries(secret.stringData)) {
    setOwn(data, key, Buffer.from(text).toString('base64'))
  }
  secret.data = data
  delete secret.stringData
}

const isJson = (base64: string): boolean => {
  try {
    JSON.parse(Buffer.from(base64, 'base64').toString())
    return true
  } catch {
    return false
  }
}

const validateTyped = ({ type = '', data = {}, metadata }: Secret): FieldError[] => {
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[SERVICE_ACCOUNT_NAME]) {
    return [fieldRequired(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`)]
  }
  if (type === 'kubernetes.io/basic-auth' && !('username' in data) && !('password' in data)) {
    return [fieldRequired('data[username]'), fieldRequired('data[password]')]
  }
  return (REQUIRED_KEYS.get(type) ?? []).flatMap(key => {
    const value = data[key]
    if (value === undefined) return [fieldRequired(`data[${key}]`)]
    return JSON_KEYS.has(key) && !isJson(value)
      ? [fieldInvalid(`data[${key}]`, '<secret contents redacted>', 'is not valid JSON')]
      : []
  })
}

const validate = (object: ApiObject): FieldError[] => {
  const secret = object as Secret
  const { data = {} } = secret
  const errors = [...checkKeys(data, 'data'), ...validateTyped(secret)]
  if (sizeOfData(data, 'base64') > MAX_BYTES) errors.push(fieldTooLong('data', MAX_BYTES))
  return errors
}

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const errors: FieldError[] = []
  if ((next as Secret).type !== (current as Secret).type) {
    errors.push(fieldInvalid('type', (next as Secret).type, 'field is immutable'))
  }
  if ((current as Secret).immutable === true) errors.push(...checkUnchanged(next, current, ['immutable', 'data']))
  return errors
}

const typeOf = (object: ApiObject): string => (object as Secret).type ?? ''

export const secretKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'core/v1.Secret',
  hasStatus: false,
  countsGenerations: false,
  applyDefaults,
  // An update that leaves the type out means the one that it has.
  prepareForUpdate(next, current) {
    const secret = next as Secret
    secret.type ||= typeOf(current)
  },
  validate,
  validateUpdate,
  selectableFields: secret => ({ type: typeOf(secret) }),
  selectableFieldNames: ['type'],
  columns: [
    column('Type', 'What the keys mean.', typeOf),
    column('Data', 'Number of keys.', object => Object.keys((object as Secret).data ?? {}).length),
    ageColumn,
  ],
}
