/** The rules for a CertificateSigningRequest, in Kubernetes's words. */
import {
  complain,
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../field-error.ts'
import { isSame } from '../immutable.ts'
import { checkDnsSubdomain } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { enumValues } from '../schema.ts'
import {
  decodePem,
  LEGACY_UNKNOWN,
  type RequestCondition,
  requestSpec,
  requestStatus,
  VERDICTS,
} from './certificate-signing-request.ts'

const MIN_SECONDS = 600
const TYPES_THAT_HOLD = new Set([...VERDICTS, 'Failed'])
const USAGES = enumValues('certificates.k8s.io/v1.KeyUsage').toSorted()
const STATUSES = ['False', 'True', 'Unknown']

/** Of the first block. */
const blockType = (pem: string): string | undefined => /^-----BEGIN ([^-]+)-----$/m.exec(pem)?.[1]

const validateSigner = (name: string): FieldError[] => {
  const field = 'spec.signerName'
  if (name === '') return [fieldRequired(field)]
  if (name === LEGACY_UNKNOWN)
    return [fieldInvalid(field, name, 'the legacy signerName is not allowed via this API version')]
  const [domain = '', path = '', ...rest] = name.split('/')
  if (path === '' || rest.length > 0) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    return [fieldInvalid(field, name, detail)]
  }
  const errors = complain(field, domain, checkDnsSubdomain(domain))
  if (!domain.includes('.'))
    errors.push(fieldInvalid(field, domain, 'should be a domain with at least two segments separated by dots'))
  return [...errors, ...complain(field, path, checkDnsSubdomain(path))]
}

const validateCondition = ({ type = '', status = '' }: RequestCondition, at: string): FieldError[] => {
  const errors = type === '' ? [fieldRequired(`${at}.type`)] : []
  if (status === '') return [...errors, fieldRequired(`${at}.status`)]
  if (!STATUSES.includes(status)) return [...errors, fieldNotSupported(`${at}.status`, status, STATUSES)]
  return TYPES_THAT_HOLD.has(type) && status !== 'True'
    ? [...errors, fieldNotSupported(`${at}.status`, status, ['True'])]
    : errors
}

const validateConditions = (object: ApiObject): FieldError[] => {
  const seen = new Set<string>()
  return (requestStatus(object).conditions ?? []).flatMap((condition, index) => {
    const { type = '' } = condition
    const at = `status.conditions[${index}]`
    const errors = validateCondition(condition, at)
    if (seen.has(type)) errors.push(fieldDuplicate(`${at}.type`, type))
    seen.add(type)
    if (VERDICTS.includes(type) && VERDICTS.every(verdict => seen.has(verdict))) {
      const detail = 'Approved and Denied conditions are mutually exclusive'
      errors.push(fieldInvalid(`${at}.type`, type, detail))
    }
    return errors
  })
}

export const validateRequest = (object: ApiObject): FieldError[] => {
  const { request, usages = [], signerName = '', expirationSeconds: seconds } = requestSpec(object)
  const errors: FieldError[] = []
  if (blockType(decodePem(request ?? '')) !== 'CERTIFICATE REQUEST')
    errors.push(fieldInvalid('spec.request', request ?? null, 'PEM block type must be CERTIFICATE REQUEST'))
  if (usages.length === 0) errors.push(fieldRequired('spec.usages'))
  usages.forEach((usage, index) => {
    if (!USAGES.includes(usage)) errors.push(fieldNotSupported(`spec.usages[${index}]`, usage, USAGES))
    if (usages.indexOf(usage) < index) errors.push(fieldDuplicate(`spec.usages[${index}]`, usage))
  })
  errors.push(...validateSigner(signerName))
  if (seconds !== undefined && seconds < MIN_SECONDS) {
    const detail = `may not specify a duration less than ${MIN_SECONDS} seconds (10 minutes)`
    errors.push(fieldInvalid('spec.expirationSeconds', seconds, detail))
  }
  return [...errors, ...validateConditions(object)]
}

const ofType = (object: ApiObject, type: string): readonly RequestCondition[] =>
  (requestStatus(object).conditions ?? []).filter(condition => condition.type === type)

const kept = (next: ApiObject, current: ApiObject): FieldError[] =>
  [...TYPES_THAT_HOLD]
    .filter(type => ofType(next, type).length < ofType(current, type).length)
    .map(type =>
      fieldForbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`),
    )

export const validateApproval = (next: ApiObject, current: ApiObject): FieldError[] => [
  ...validateConditions(next),
  ...kept(next, current),
]

const sameVerdicts = (next: ApiObject, current: ApiObject): FieldError[] =>
  VERDICTS.flatMap(type => {
    const [after, before] = [ofType(next, type), ofType(current, type)]
    if (after.length > before.length)
      return [fieldForbidden('status.conditions', `updates may not add a condition of type ${JSON.stringify(type)}`)]
    if (after.length < before.length || isSame(after, before)) return []
    return [fieldForbidden('status.conditions', `updates may not modify a condition of type ${JSON.stringify(type)}`)]
  })

const validateCertificate = (certificate: string): FieldError[] => {
  const type = blockType(decodePem(certificate))
  const field = 'status.certificate'
  if (certificate === '' || type === 'CERTIFICATE') return []
  return type === undefined
    ? [fieldInvalid(field, '<certificate data>', 'must contain at least one CERTIFICATE PEM block')]
    : [
        fieldInvalid(
          field,
          '<certificate data>',
          `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`,
        ),
      ]
}

export const validateRequestStatus = (next: ApiObject, current: ApiObject): FieldError[] => {
  const { certificate: after = '' } = requestStatus(next)
  const { certificate: before = '' } = requestStatus(current)
  return [
    ...validateConditions(next),
    ...validateCertificate(after),
    ...kept(next, current),
    ...sameVerdicts(next, current),
    ...(before !== '' && after !== before
      ? [fieldForbidden('status.certificate', 'updates may not modify existing certificate content')]
      : []),
  ]
}
