/** What a CustomResourceDefinition may say of how its versions become each other. */
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { checkDns1035Label } from '../name.ts'
import type { Conversion, WebhookClientConfig } from './definition.ts'

export const oneOf = (path: string, value: string | undefined, values: readonly string[]): FieldError[] => {
  if (!value) return [fieldRequired(path)]
  return values.includes(value) ? [] : [fieldNotSupported(path, value, values)]
}

const validateUrl = (text: string, path: string): FieldError[] => {
  const url = URL.parse(text)
  if (!url) return [fieldRequired(path, 'url must be a valid URL: parse error; desired format: https://host[/path]')]
  const fault = (detail: string) => fieldInvalid(path, text, `${detail}; desired format: https://host[/path]`)
  if (url.protocol !== 'https:')
    return [
      fieldInvalid(
        path,
        url.protocol.slice(0, -1),
        "'https' is the only allowed URL scheme; desired format: https://host[/path]",
      ),
    ]
  if (url.username || url.password) return [fault('user information is not permitted in the URL')]
  if (url.hash) return [fault('fragments are not permitted in the URL')]
  return url.search ? [fault('query parameters are not permitted in the URL')] : []
}

const validateService = ({ service = {} }: WebhookClientConfig, path: string): FieldError[] => {
  const { name, namespace, port = 443 } = service
  return [
    ...(name ? [] : [fieldRequired(`${path}.name`, 'service name is required')]),
    ...(namespace ? [] : [fieldRequired(`${path}.namespace`, 'service namespace is required')]),
    ...(port >= 1 && port <= 65_535
      ? []
      : [fieldInvalid(`${path}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive')]),
  ]
}

/** Of ConversionReview: those that are spoken here. */
export const REVIEW_VERSIONS: readonly string[] = ['v1', 'v1beta1']

const validateReviewVersions = (versions: readonly string[], path: string): FieldError[] => {
  if (versions.length === 0) return [fieldRequired(path)]
  const errors = versions.flatMap((version, index) => {
    const at = `${path}[${index}]`
    if (versions.indexOf(version) !== index) return [fieldInvalid(at, version, 'duplicate version')]
    return checkDns1035Label(version).map(complaint => fieldInvalid(at, version, complaint))
  })
  if (versions.some(version => REVIEW_VERSIONS.includes(version))) return errors
  return [...errors, fieldInvalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`)]
}

const validateWebhook = ({ webhook = {} }: Conversion, path: string): FieldError[] => {
  const { clientConfig, conversionReviewVersions = [] } = webhook
  const at = `${path}.webhookClientConfig`
  const versions = validateReviewVersions(conversionReviewVersions, `${path}.conversionReviewVersions`)
  if (!clientConfig) return [fieldRequired(at, 'required when strategy is set to Webhook'), ...versions]
  const { url, service } = clientConfig
  if ((url === undefined) === (service === undefined)) {
    return [fieldRequired(at, 'exactly one of url or service is required'), ...versions]
  }
  return [
    ...(url === undefined ? validateService(clientConfig, `${at}.service`) : validateUrl(url, `${at}.url`)),
    ...versions,
  ]
}

/** Of `spec.conversion`. */
export const validateConversion = (conversion: Conversion | undefined, path: string): FieldError[] => {
  if (!conversion) return []
  const errors = oneOf(`${path}.strategy`, conversion.strategy, ['None', 'Webhook'])
  if (conversion.strategy === 'Webhook') return [...errors, ...validateWebhook(conversion, path)]
  const detail = 'should not be set when strategy is not set to Webhook'
  const { clientConfig, conversionReviewVersions = [] } = conversion.webhook ?? {}
  if (clientConfig) errors.push(fieldForbidden(`${path}.webhookClientConfig`, detail))
  if (conversionReviewVersions.length > 0) errors.push(fieldForbidden(`${path}.conversionReviewVersions`, detail))
  return errors
}
