/** What the operator tells ResourceQuota (ResourceQuotaConfiguration): what may be taken only where a quota counts it. */
import { type FieldError, fieldInvalid, fieldRequired } from '#cluster/api/field-error.ts'
import { type ScopeExpression, validateScopeExpression } from '#cluster/api/kinds/resource-quota.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { checkConfiguration } from '../plugin-configuration.ts'
import { unknownFields } from '../unknown-fields.ts'
import type { LimitedResource } from './limited.ts'

const OLD = 'resourcequota.admission.k8s.io'
const TYPES = [
  { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'ResourceQuotaConfiguration' },
  { apiVersion: `${OLD}/v1beta1`, kind: 'Configuration' },
  { apiVersion: `${OLD}/v1alpha1`, kind: 'Configuration' },
]

/** Collects what is wrong while it reads. */
class Reading {
  readonly errors: FieldError[] = []

  list(value: unknown, field: string): readonly unknown[] {
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return value
    this.errors.push(fieldInvalid(field, value, 'must be a list'))
    return []
  }

  texts(value: unknown, field: string): readonly string[] {
    return this.list(value, field).map((text, index) => this.text(text, `${field}[${index}]`))
  }

  text(value: unknown, field: string): string {
    if (value === undefined || value === null) return ''
    if (typeof value === 'string') return value
    this.errors.push(fieldInvalid(field, value, 'must be a text'))
    return ''
  }

  part(value: unknown, field: string, known: readonly string[]): Readonly<Record<string, unknown>> {
    if (!isObject(value)) {
      this.errors.push(fieldInvalid(field, value, 'must be an object'))
      return {}
    }
    this.errors.push(...unknownFields(value, field, known))
    return value
  }

  scope(value: unknown, field: string): ScopeExpression {
    const { scopeName, operator, values } = this.part(value, field, ['scopeName', 'operator', 'values'])
    const expression = {
      scopeName: this.text(scopeName, `${field}.scopeName`),
      operator: this.text(operator, `${field}.operator`),
      values: this.texts(values, `${field}.values`),
    }
    this.errors.push(...validateScopeExpression(expression, field))
    return expression
  }

  limited(value: unknown, field: string): LimitedResource {
    const part = this.part(value, field, ['apiGroup', 'resource', 'matchContains', 'matchScopes'])
    const resource = this.text(part.resource, `${field}.resource`)
    if (resource === '') this.errors.push(fieldRequired(`${field}.resource`))
    const scopes = this.list(part.matchScopes, `${field}.matchScopes`)
    return {
      apiGroup: this.text(part.apiGroup, `${field}.apiGroup`),
      resource,
      matchContains: this.texts(part.matchContains, `${field}.matchContains`),
      matchScopes: scopes.map((scope, index) => this.scope(scope, `${field}.matchScopes[${index}]`)),
    }
  }
}

/** `place`: what stands before the names of its fields; '' for a file of its own. Errors: what is wrong with which field. */
export const readQuotaConfiguration = (
  value: unknown,
  place: string,
): { readonly configuration: readonly LimitedResource[]; readonly errors: readonly FieldError[] } => {
  const { fields, errors } = checkConfiguration(value, place, { types: TYPES, known: ['limitedResources'] })
  const reading = new Reading()
  const field = place === '' ? 'limitedResources' : `${place}.limitedResources`
  const entries = reading.list(fields.limitedResources, field)
  const configuration = entries.map((entry, index) => reading.limited(entry, `${field}[${index}]`))
  return { configuration, errors: [...errors, ...reading.errors] }
}
