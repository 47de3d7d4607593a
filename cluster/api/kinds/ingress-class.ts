/** IngressClass: who serves Ingresses that name it. */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkDnsSubdomain } from '../name.ts'
import type { ApiObject } from '../object.ts'

interface Parameters {
  apiGroup?: string
  kind?: string
  name?: string
  scope?: string
  namespace?: string
}

const specOf = ({ spec }: ApiObject) => (spec ?? {}) as { controller?: string; parameters?: Parameters }

const MAX_CONTROLLER = 250

/** A domain, and a path behind it. */
const checkController = (text: string): readonly string[] => {
  const [domain = '', ...path] = text.split('/')
  if (path.length === 0 || path.join('/') === '') return ['must be a domain-prefixed path (such as "acme.io/foo")']
  return checkDnsSubdomain(domain)
}

const validateParameters = ({ apiGroup, scope, namespace }: Parameters): FieldError[] => {
  const field = 'spec.parameters'
  const errors: FieldError[] = []
  if (apiGroup)
    errors.push(...checkDnsSubdomain(apiGroup).map(text => fieldInvalid(`${field}.apiGroup`, apiGroup, text)))
  if (scope !== 'Cluster' && scope !== 'Namespace')
    return [...errors, fieldNotSupported(`${field}.scope`, scope ?? '', ['Cluster', 'Namespace'])]
  if (scope === 'Namespace' && namespace === undefined)
    errors.push(fieldRequired(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"))
  if (scope === 'Cluster' && namespace !== undefined)
    errors.push(fieldForbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  return errors
}

const validate = (object: ApiObject): FieldError[] => {
  const { controller = '', parameters } = specOf(object)
  const field = 'spec.controller'
  const errors: FieldError[] = []
  if (controller === '') errors.push(fieldRequired(field))
  else if (controller.length > MAX_CONTROLLER)
    errors.push(fieldInvalid(field, controller, `must be no more than ${MAX_CONTROLLER} characters`))
  else errors.push(...checkController(controller).map(text => fieldInvalid(field, controller, text)))
  return parameters ? [...errors, ...validateParameters(parameters)] : errors
}

const parametersText = (object: ApiObject): string => {
  const { parameters } = specOf(object)
  if (!parameters) return '<none>'
  const { apiGroup = '', kind = '', name = '' } = parameters
  return `${kind}${apiGroup ? `.${apiGroup}` : ''}/${name}`
}

export const ingressClassKind: Kind = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  resource: 'ingressclasses',
  singular: 'ingressclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'networking.k8s.io/v1.IngressClass',
  hasStatus: false,
  countsGenerations: true,
  applyDefaults(object) {
    const { parameters } = specOf(object)
    if (parameters) parameters.scope ??= 'Cluster'
  },
  validate,
  validateUpdate: (next, current) =>
    validateImmutable('spec.controller', specOf(next).controller, specOf(current).controller),
  columns: [
    column('Controller', 'Who serves it.', object => specOf(object).controller ?? ''),
    column('Parameters', 'Where its settings are.', parametersText),
    ageColumn,
  ],
}
