/** The query of list, watch and deletecollection (metav1.ListOptions), with the rules among its members. */

import { type FieldError, fieldForbidden, fieldNotSupported } from '#cluster/api/field-error.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { badRequest, type Status, unexplained } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { type FieldSelector, matchesFields, parseFieldSelector } from '../selectors/field-selector.ts'
import { type LabelSelector, matchesLabels, parseLabelSelector } from '../selectors/label-selector.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { invalidOptions } from './option-errors.ts'

export interface Selection {
  readonly labelSelector: LabelSelector
  readonly fieldSelector: FieldSelector
}

export interface ListOptions extends Selection {
  readonly watch: boolean
  readonly allowWatchBookmarks: boolean
  /** Decimal, or '' when the client does not say. */
  readonly resourceVersion: string
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan'
  readonly sendInitialEvents: boolean | undefined
  /** 0: none was given. */
  readonly timeoutSeconds: number
  /** 0: all. */
  readonly limit: number
  readonly continue: string
}

export const selects = ({ labelSelector, fieldSelector }: Selection, stored: StoredObject): boolean =>
  (labelSelector.length === 0 || matchesLabels(labelSelector, stored.object.metadata.labels)) &&
  (fieldSelector.length === 0 || matchesFields(fieldSelector, stored.fields))

export const selectsAll = ({ labelSelector, fieldSelector }: Selection): boolean =>
  labelSelector.length === 0 && fieldSelector.length === 0

/** As Kubernetes converts query parameters: only `false` and `0` are false. */
export const readFlag = (query: URLSearchParams, name: string): boolean | undefined => {
  const value = query.get(name)
  return value === null ? undefined : !/^(?:false|0)$/i.test(value)
}

const readInteger = (query: URLSearchParams, name: string): Result<number, Status> => {
  const value = query.get(name)
  if (value === null) return accepted(0)
  if (!/^[+-]?\d+$/.test(value))
    return refused(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`))
  return accepted(Number(value))
}

const MATCHES = ['Exact', 'NotOlderThan', ''] as const

const checkWatch = (options: ListOptions): FieldError[] => {
  const { resourceVersionMatch: match, sendInitialEvents } = options
  const forbid = (detail: string): FieldError => fieldForbidden('resourceVersionMatch', detail)
  const errors: FieldError[] = []
  if (match !== '' && sendInitialEvents === undefined)
    errors.push(forbid('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan')
    errors.push(forbid('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  if (match !== '') {
    if (match !== 'NotOlderThan') errors.push(fieldNotSupported('resourceVersionMatch', match, ['NotOlderThan']))
    if (options.continue !== '') errors.push(forbid('resourceVersionMatch is forbidden when continue is provided'))
  }
  return errors
}

const checkList = (options: ListOptions): FieldError[] => [
  ...checkListVersion(options),
  ...(options.sendInitialEvents === undefined
    ? []
    : [fieldForbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')]),
]

const checkListVersion = (options: ListOptions): FieldError[] => {
  const { resourceVersion, resourceVersionMatch: match } = options
  const forbid = (detail: string): FieldError => fieldForbidden('resourceVersionMatch', detail)
  const errors: FieldError[] = []
  if (match === '') return errors
  if (resourceVersion === '')
    errors.push(forbid('resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (options.continue !== '') errors.push(forbid('resourceVersionMatch is forbidden when continue is provided'))
  if (!MATCHES.includes(match)) errors.push(fieldNotSupported('resourceVersionMatch', match, MATCHES))
  else if (match === 'Exact' && resourceVersion === '0')
    errors.push(forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  return errors
}

/** What a resourceVersion that is no number gets: 500 from a get or a watch, 400 from a list. Kubernetes has it so. */
export const malformedVersion = (text: string): Status => unexplained(versionProblem(text))

const versionProblem = (text: string): string =>
  `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`

const checkVersion = ({ watch, resourceVersion, ...options }: ListOptions): Status | undefined => {
  // A later page takes no version at all, and says so.
  if (!watch && options.continue !== '') return undefined
  if (/^\d*$/.test(resourceVersion)) return undefined
  return watch
    ? malformedVersion(resourceVersion)
    : badRequest(`invalid resource version: ${versionProblem(resourceVersion)}`)
}

/**
 * A watch from nowhere in particular wants the state first. Kubernetes reads it as a streaming list since that exists
 * (SetListOptionsDefaults), so that with bookmarks the end of the state is marked.
 */
const readStart = (
  query: URLSearchParams,
  watch: boolean,
): Pick<ListOptions, 'resourceVersion' | 'resourceVersionMatch' | 'sendInitialEvents'> => {
  const resourceVersion = query.get('resourceVersion') ?? ''
  const resourceVersionMatch = (query.get('resourceVersionMatch') ?? '') as ListOptions['resourceVersionMatch']
  const sendInitialEvents = readFlag(query, 'sendInitialEvents')
  const anyVersion = resourceVersion === '' || resourceVersion === '0'
  if (watch && anyVersion && resourceVersionMatch === '' && sendInitialEvents === undefined)
    return { resourceVersion, resourceVersionMatch: 'NotOlderThan', sendInitialEvents: true }
  return { resourceVersion, resourceVersionMatch, sendInitialEvents }
}

export const readListOptions = (kind: Kind, query: URLSearchParams, watch: boolean): Result<ListOptions, Status> => {
  const limit = readInteger(query, 'limit')
  if (!limit.ok) return limit
  const timeoutSeconds = readInteger(query, 'timeoutSeconds')
  if (!timeoutSeconds.ok) return timeoutSeconds
  const labelSelector = parseLabelSelector(query.get('labelSelector') ?? '')
  if (!labelSelector.ok) return refused(badRequest(labelSelector.problem))
  const fieldSelector = parseFieldSelector(kind, query.get('fieldSelector') ?? '')
  if (!fieldSelector.ok) return refused(badRequest(fieldSelector.problem))
  const options: ListOptions = {
    watch,
    allowWatchBookmarks: readFlag(query, 'allowWatchBookmarks') ?? false,
    labelSelector: labelSelector.value,
    fieldSelector: fieldSelector.value,
    ...readStart(query, watch),
    timeoutSeconds: timeoutSeconds.value,
    limit: Math.max(0, limit.value),
    continue: query.get('continue') ?? '',
  }
  const errors = watch ? checkWatch(options) : checkList(options)
  if (errors.length > 0) return refused(invalidOptions('ListOptions', errors))
  const malformed = checkVersion(options)
  return malformed ? refused(malformed) : accepted(options)
}
