/** LimitRange: how much each container, Pod or claim of a namespace may ask for, and what those ask that do not say. */
import { createdColumn } from '../column.ts'
import { type FieldError, fieldDuplicate, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { formatQuantity, type Quantity } from '../quantity.ts'
import { type Amounts, count, type ResourceList, readAmounts } from '../resource-list.ts'
import { mayOvercommit, validateContainerResourceName, validateResourceName } from '../resource-name.ts'

export interface Limit {
  type?: string
  max?: ResourceList
  min?: ResourceList
  default?: ResourceList
  defaultRequest?: ResourceList
  maxLimitRequestRatio?: ResourceList
}

export const limitsOf = ({ spec }: ApiObject): readonly Limit[] => ((spec ?? {}) as { limits?: Limit[] }).limits ?? []

const LISTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

/** A container that names no limit has the largest one, and asks for its limit, or for the least. */
const applyDefaults = (object: ApiObject): void => {
  for (const limit of limitsOf(object)) {
    if (limit.type !== 'Container') continue
    limit.default = { ...limit.max, ...limit.default }
    limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest }
  }
}

type Read = Readonly<Record<(typeof LISTS)[number], Amounts>>

interface Pair {
  readonly low: keyof Read
  readonly high: keyof Read
  /** The field that is complained about, and the amount that is shown. */
  readonly at: keyof Read
  readonly shown: keyof Read
  readonly words: readonly [low: string, high: string]
}

/** What may not be more than what. */
const ORDER: readonly Pair[] = [
  { low: 'min', high: 'max', at: 'min', shown: 'min', words: ['min', 'max'] },
  {
    low: 'min',
    high: 'defaultRequest',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    words: ['min', 'default request'],
  },
  {
    low: 'defaultRequest',
    high: 'max',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    words: ['default request', 'max'],
  },
  {
    low: 'defaultRequest',
    high: 'default',
    at: 'defaultRequest',
    shown: 'defaultRequest',
    words: ['default request', 'default limit'],
  },
  { low: 'min', high: 'default', at: 'default', shown: 'min', words: ['min', 'default'] },
  { low: 'default', high: 'max', at: 'default', shown: 'max', words: ['default', 'max'] },
]

const validateOrder = (read: Read, name: string, field: string): FieldError[] =>
  ORDER.flatMap(({ low, high, at, shown, words }) => {
    const [a, b] = [read[low].get(name), read[high].get(name)]
    if (!a || !b || a.nano <= b.nano) return []
    const detail = `${words[0]} value ${formatQuantity(a)} is greater than ${words[1]} value ${formatQuantity(b)}`
    return [fieldInvalid(`${field}.${at}[${name}]`, formatQuantity(read[shown].get(name)!), detail)]
  })

const ratioOf = (a: Quantity, b: Quantity): number => Number(a.nano) / Number(b.nano)

const validateRatio = (read: Read, name: string, field: string): FieldError[] => {
  const ratio = read.maxLimitRequestRatio.get(name)
  if (!ratio) return []
  const at = `${field}.maxLimitRequestRatio[${name}]`
  const text = formatQuantity(ratio)
  const errors = ratio.nano < count(1).nano ? [fieldInvalid(at, text, `ratio ${text} is less than 1`)] : []
  const [min, max] = [read.min.get(name), read.max.get(name)]
  if (!min || !max) return errors
  const most = ratioOf(max, min)
  return ratioOf(ratio, count(1)) > most
    ? [...errors, fieldInvalid(at, text, `ratio ${text} is greater than max/min = ${most.toFixed(6)}`)]
    : errors
}

const validateDefaults = (read: Read, name: string, field: string): FieldError[] => {
  const [limit, request] = [read.default.get(name), read.defaultRequest.get(name)]
  if (mayOvercommit(name) || !limit || !request || limit.nano === request.nano) return []
  const detail = `default value ${formatQuantity(limit)} must equal to defaultRequest value ${formatQuantity(request)} in ${name}`
  return [fieldInvalid(`${field}.defaultRequest[${name}]`, formatQuantity(request), detail)]
}

const validateNames = (limit: Limit, field: string): FieldError[] => {
  const check = limit.type === 'PersistentVolumeClaim' ? validateResourceName : validateContainerResourceName
  return LISTS.flatMap(list => Object.keys(limit[list] ?? {}).flatMap(name => check(name, `${field}.${list}[${name}]`)))
}

const validateType = ({ type, min, max, ...limit }: Limit, field: string): FieldError[] => {
  if (type === 'Pod')
    return (['default', 'defaultRequest'] as const)
      .filter(list => Object.keys(limit[list] ?? {}).length > 0)
      .map(list => fieldForbidden(`${field}.${list}`, "may not be specified when `type` is 'Pod'"))
  if (type !== 'PersistentVolumeClaim' || min?.storage !== undefined || max?.storage !== undefined) return []
  return [
    fieldRequired(`${field}.limits`, 'either minimum or maximum storage value is required, but neither was provided'),
  ]
}

const validateLimit = (limit: Limit, field: string): FieldError[] => {
  const ignored = limit.type === 'Pod' ? ['default', 'defaultRequest'] : []
  const listed = (list: keyof Read) => readAmounts(ignored.includes(list) ? {} : limit[list])
  const read: Read = {
    max: listed('max'),
    min: listed('min'),
    default: listed('default'),
    defaultRequest: listed('defaultRequest'),
    maxLimitRequestRatio: listed('maxLimitRequestRatio'),
  }
  const names = new Set(LISTS.flatMap(list => [...read[list].keys()]))
  return [
    ...validateNames(limit, field),
    ...validateType(limit, field),
    ...[...names].flatMap(name => [
      ...validateOrder(read, name, field),
      ...validateRatio(read, name, field),
      ...validateDefaults(read, name, field),
    ]),
  ]
}

const validate = (object: ApiObject): FieldError[] => {
  const seen = new Set<string>()
  return limitsOf(object).flatMap((limit, index) => {
    const { type = '' } = limit
    const field = `spec.limits[${index}]`
    const errors = seen.has(type) ? [fieldDuplicate(`${field}.type`, type)] : []
    seen.add(type)
    return [...errors, ...validateLimit(limit, field)]
  })
}

export const limitRangeKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  resource: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  categories: [],
  namespaced: true,
  type: 'core/v1.LimitRange',
  hasStatus: false,
  countsGenerations: false,
  applyDefaults,
  validate,
  columns: [createdColumn],
}
