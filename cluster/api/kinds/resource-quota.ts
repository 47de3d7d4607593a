/** ResourceQuota: how much all objects of a namespace may take together. */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { amountOf, type ResourceList } from '../resource-list.ts'
import { isIntegerResource, isStandardQuotaResource, validateQuotaResourceName } from '../resource-name.ts'

export interface ScopeExpression {
  readonly scopeName?: string
  readonly operator?: string
  readonly values?: readonly string[]
}

export interface ResourceQuota extends ApiObject {
  spec?: { hard?: ResourceList; scopes?: readonly string[]; scopeSelector?: { matchExpressions?: ScopeExpression[] } }
  status?: { hard?: ResourceList; used?: ResourceList }
}

export const asQuota = (object: ApiObject): ResourceQuota => object as ResourceQuota

const COUNTS = ['pods']
const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']

/** What each scope may be about. */
const SCOPES: Readonly<Record<string, ReadonlySet<string>>> = {
  Terminating: new Set([...COUNTS, ...COMPUTE]),
  NotTerminating: new Set([...COUNTS, ...COMPUTE]),
  NotBestEffort: new Set([...COUNTS, ...COMPUTE]),
  PriorityClass: new Set([...COUNTS, ...COMPUTE]),
  CrossNamespacePodAffinity: new Set([...COUNTS, ...COMPUTE]),
  BestEffort: new Set(COUNTS),
  VolumeAttributesClass: new Set(['persistentvolumeclaims', 'requests.storage']),
}
/** Scopes that are so or not: they have no values. */
const PLAIN = new Set(['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity'])
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

const MUST_EXIST =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"

const validateList = (list: ResourceList | undefined, at: string): FieldError[] =>
  Object.entries(list ?? {}).flatMap(([name, text]) => {
    const field = `${at}[${name}]`
    const errors = validateQuotaResourceName(name, field)
    const { nano } = amountOf(text)
    if (nano < 0n) errors.push(fieldInvalid(field, text, 'must be greater than or equal to 0'))
    if (isIntegerResource(name) && nano % 1_000_000_000n !== 0n)
      errors.push(fieldInvalid(field, text, 'must be an integer'))
    return errors
  })

/** One complaint for each resource that the scope is not about. */
const validateScope = (scope: string, hard: ResourceList, complain: (detail: string) => FieldError): FieldError[] => {
  const about = Object.hasOwn(SCOPES, scope) ? SCOPES[scope] : undefined
  return Object.keys(hard)
    .filter(name => about && isStandardQuotaResource(name) && !about.has(name))
    .map(() => complain('unsupported scope applied to resource'))
}

const areOpposite = (scopes: readonly string[]): number =>
  OPPOSITES.filter(([a, b]) => scopes.includes(a) && scopes.includes(b)).length

const validateScopes = ({ hard = {}, scopes = [] }: NonNullable<ResourceQuota['spec']>): FieldError[] => {
  const complain = (detail: string) => fieldInvalid('spec.scopes', scopes, detail)
  return [
    ...scopes.flatMap(scope => [
      ...(Object.hasOwn(SCOPES, scope) ? [] : [complain('unsupported scope')]),
      ...validateScope(scope, hard, complain),
    ]),
    ...Array.from({ length: areOpposite(scopes) }, () => complain('conflicting scopes')),
  ]
}

const validateValues = ({ scopeName = '', operator = '', values = [] }: ScopeExpression, at: string): FieldError[] => {
  const errors: FieldError[] = []
  if (PLAIN.has(scopeName) && operator !== 'Exists') errors.push(fieldInvalid(`${at}.operator`, operator, MUST_EXIST))
  if (operator === 'In' || operator === 'NotIn') {
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
    return values.length > 0 ? errors : [...errors, fieldRequired(`${at}.values`, detail)]
  }
  if (operator !== 'Exists' && operator !== 'DoesNotExist')
    return [...errors, fieldInvalid(`${at}.operator`, operator, 'not a valid selector operator')]
  const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
  return values.length === 0 ? errors : [...errors, fieldInvalid(`${at}.values`, values, detail)]
}

/** A scope by itself: whether there is such a one, and its operator goes with its values. */
export const validateScopeExpression = (expression: ScopeExpression, at: string): FieldError[] => {
  const { scopeName = '' } = expression
  const unknown = fieldInvalid(`${at}.scopeName`, scopeName, 'unsupported scope')
  return [...(Object.hasOwn(SCOPES, scopeName) ? [] : [unknown]), ...validateValues(expression, at)]
}

const validateSelector = ({ hard = {}, scopes, scopeSelector }: NonNullable<ResourceQuota['spec']>): FieldError[] => {
  const { matchExpressions = [] } = scopeSelector ?? {}
  const at = 'spec.scopeSelector.matchExpressions'
  const names = matchExpressions.map(({ scopeName = '' }) => scopeName)
  return [
    ...matchExpressions.flatMap(expression => {
      const { scopeName = '' } = expression
      const unknown = fieldInvalid(`${at}.scopeName`, scopeName, 'unsupported scope')
      return [
        ...(Object.hasOwn(SCOPES, scopeName) ? [] : [unknown]),
        ...validateScope(scopeName, hard, detail => fieldInvalid(at, scopeSelector, detail)),
        ...validateValues(expression, at),
      ]
    }),
    ...Array.from({ length: areOpposite(names) }, () => fieldInvalid(at, scopes ?? null, 'conflicting scopes')),
  ]
}

const validate = (object: ApiObject): FieldError[] => {
  const { spec = {}, status = {} } = asQuota(object)
  return [
    ...validateList(spec.hard, 'spec.hard'),
    ...validateScopes(spec),
    ...validateSelector(spec),
    ...validateList(status.hard, 'status.hard'),
    ...validateList(status.used, 'status.used'),
  ]
}

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const scopesOf = (object: ApiObject) => [...new Set(asQuota(object).spec?.scopes)].sort().join()
  return scopesOf(next) === scopesOf(current)
    ? []
    : [fieldInvalid('spec.scopes', asQuota(next).spec?.scopes ?? null, 'field is immutable')]
}

const WARNED = ['cpu', 'memory', 'storage', 'ephemeral-storage']

const warnings = (object: ApiObject): string[] => {
  const hard = asQuota(object).spec?.hard ?? {}
  return WARNED.flatMap(name => {
    const limits = `limits.${name}`
    const bare = name === 'cpu' || name === 'memory' ? name : ''
    const requests = hard[`requests.${name}`] === undefined && hard[bare] !== undefined ? bare : `requests.${name}`
    const [asked, limit] = [hard[requests], hard[limits]]
    if (asked === undefined || limit === undefined || amountOf(asked).nano <= amountOf(limit).nano) return []
    return [`ResourceQuota ${requests} (${asked}) should be less than ${limits} (${limit})`]
  })
}

const usageText = (object: ApiObject, ofLimits: boolean): string => {
  const { hard = {}, used = {} } = asQuota(object).status ?? {}
  return Object.keys(hard)
    .filter(name => name.startsWith('limits.') === ofLimits)
    .sort()
    .map(name => `${name}: ${used[name] ?? '0'}/${hard[name]}`)
    .join(', ')
}

export const resourceQuotaKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  categories: [],
  namespaced: true,
  type: 'core/v1.ResourceQuota',
  hasStatus: true,
  countsGenerations: false,
  deleteReturnsObject: true,
  prepareForCreate(object) {
    object.status = {}
  },
  validate,
  validateUpdate,
  validateStatusUpdate(next) {
    const { hard, used } = asQuota(next).status ?? {}
    return [...validateList(hard, 'status.hard'), ...validateList(used, 'status.used')]
  },
  warnings,
  columns: [
    column('Request', 'What is used of what may be, but for limits.', object => usageText(object, false)),
    column('Limit', 'What the limits of all containers come to, of what they may.', object => usageText(object, true)),
    ageColumn,
  ],
}
