/** What mutating and validating webhooks have in common. */
import { type FieldError, fieldDuplicate, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { type LabelSelector, validateLabelSelector } from '../label-selector.ts'
import { checkDns1035Label, checkDnsSubdomain, checkPort } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { type MatchCondition, validateConditions } from './expressions.ts'
import { applyRuleDefaults, type Rule, validateRule } from './rules.ts'

export interface ClientConfig {
  url?: string
  service?: { namespace?: string; name?: string; path?: string; port?: number }
  /** Base64 of PEM. */
  caBundle?: string
}

export interface Webhook {
  name?: string
  clientConfig?: ClientConfig
  rules?: Rule[]
  failurePolicy?: string
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
  sideEffects?: string
  timeoutSeconds?: number
  admissionReviewVersions?: string[]
  /** Of a mutating one. */
  reinvocationPolicy?: string
  matchConditions?: MatchCondition[]
}

export interface WebhookConfiguration extends ApiObject {
  webhooks?: Webhook[]
}

export const webhooksOf = (object: ApiObject): readonly Webhook[] => (object as WebhookConfiguration).webhooks ?? []

export const applyWebhookDefaults = (object: ApiObject): void => {
  for (const webhook of webhooksOf(object)) {
    webhook.failurePolicy ??= 'Fail'
    webhook.matchPolicy ??= 'Equivalent'
    webhook.namespaceSelector ??= {}
    webhook.objectSelector ??= {}
    webhook.timeoutSeconds ??= 10
    applyRuleDefaults(webhook.rules)
    const { service } = webhook.clientConfig ?? {}
    if (service) service.port ??= 443
  }
}

const FORM = '; desired format: https://host[/path]'

const validateUrl = (text: string, field: string): FieldError[] => {
  const url = URL.parse(text)
  if (!url) return [fieldRequired(field, `url must be a valid URL${FORM}`)]
  const errors: FieldError[] = []
  const scheme = url.protocol.slice(0, -1)
  if (scheme !== 'https') errors.push(fieldInvalid(field, scheme, `'https' is the only allowed URL scheme${FORM}`))
  if (url.host === '') errors.push(fieldInvalid(field, '', `host must be specified${FORM}`))
  if (url.username !== '' || url.password !== '')
    errors.push(fieldInvalid(field, url.username, 'user information is not permitted in the URL'))
  if (url.hash !== '') errors.push(fieldInvalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search !== '')
    errors.push(fieldInvalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'))
  return errors
}

const validatePath = (path: string, field: string): FieldError[] => {
  if (path === '' || path === '/') return []
  if (path === '//') return [fieldInvalid(field, path, 'segment[0] may not be empty')]
  const errors = path.startsWith('/') ? [] : [fieldInvalid(field, path, "must start with a '/'")]
  const segments = path.slice(1).replace(/\/$/, '').split('/')
  return [
    ...errors,
    ...segments.flatMap((segment, index) => {
      if (segment === '') return [fieldInvalid(field, path, `segment[${index}] may not be empty`)]
      return checkDnsSubdomain(segment).map(text => fieldInvalid(field, path, `segment[${index}]: ${text}`))
    }),
  ]
}

const validateClientConfig = ({ url, service }: ClientConfig, field: string): FieldError[] => {
  if ((url === undefined) === (service === undefined))
    return [fieldRequired(field, 'exactly one of url or service is required')]
  if (url !== undefined) return validateUrl(url, `${field}.url`)
  const { name, namespace, path = '', port } = service ?? {}
  const at = `${field}.service`
  return [
    ...(name ? [] : [fieldRequired(`${at}.name`)]),
    ...(namespace ? [] : [fieldRequired(`${at}.namespace`)]),
    ...checkPort(port).map(text => fieldInvalid(`${at}.port`, port, `port is not valid: ${text}`)),
    ...validatePath(path, `${at}.path`),
  ]
}

/** A domain of three labels and more. */
const validateFullName = (name: string, field: string): FieldError[] => {
  if (name === '') return [fieldRequired(field)]
  const complaints = checkDnsSubdomain(name)
  if (complaints.length > 0) return [fieldInvalid(field, name, complaints.join(','))]
  const detail = 'should be a domain with at least three segments separated by dots'
  return name.split('.').length < 3 ? [fieldInvalid(field, name, detail)] : []
}

const SIDE_EFFECTS = ['None', 'NoneOnDryRun']
const REVIEW_VERSIONS = ['v1', 'v1beta1']

const validateVersions = (versions: readonly string[], field: string): FieldError[] => {
  const known = REVIEW_VERSIONS.join(', ')
  if (versions.length === 0) return [fieldRequired(field, `must specify one of ${known}`)]
  const errors = versions.flatMap((version, index) => {
    const at = `${field}[${index}]`
    if (versions.indexOf(version) < index) return [fieldInvalid(at, version, 'duplicate version')]
    return checkDns1035Label(version).map(text => fieldInvalid(at, version, text))
  })
  return versions.some(version => REVIEW_VERSIONS.includes(version))
    ? errors
    : [...errors, fieldInvalid(field, versions, `must include at least one of ${known}`)]
}

const validateSideEffects = (sideEffects: string | undefined, field: string): FieldError[] => {
  if (sideEffects === undefined) return [fieldRequired(field, `must specify one of ${SIDE_EFFECTS.join(', ')}`)]
  return SIDE_EFFECTS.includes(sideEffects) ? [] : [fieldNotSupported(field, sideEffects, SIDE_EFFECTS)]
}

const validateTimeout = (seconds: number, field: string): FieldError[] =>
  seconds < 1 || seconds > 30
    ? [fieldInvalid(field, seconds, 'the timeout value must be between 1 and 30 seconds')]
    : []

const validateWebhook = (webhook: Webhook, field: string): FieldError[] => {
  const { name = '', rules = [], clientConfig = {}, sideEffects, timeoutSeconds = 10 } = webhook
  const { namespaceSelector = {}, objectSelector = {}, admissionReviewVersions = [], matchConditions = [] } = webhook
  return [
    ...validateFullName(name, `${field}.name`),
    ...rules.flatMap((rule, index) => validateRule(rule, `${field}.rules[${index}]`)),
    ...validateSideEffects(sideEffects, `${field}.sideEffects`),
    ...validateTimeout(timeoutSeconds, `${field}.timeoutSeconds`),
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(objectSelector, `${field}.objectSelector`),
    ...validateClientConfig(clientConfig, `${field}.clientConfig`),
    ...validateConditions(matchConditions, `${field}.matchConditions`, { authorizer: true }),
    ...validateVersions(admissionReviewVersions, `${field}.admissionReviewVersions`),
  ]
}

export const validateWebhooks = (object: ApiObject): FieldError[] => {
  const webhooks = webhooksOf(object)
  return webhooks.flatMap((webhook, index) => {
    const field = `webhooks[${index}]`
    const errors = validateWebhook(webhook, field)
    const { name } = webhook
    const again = name && webhooks.findIndex(other => other.name === name) < index
    return again ? [...errors, fieldDuplicate(`${field}.name`, name)] : errors
  })
}
