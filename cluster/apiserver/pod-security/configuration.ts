/** What the operator tells PodSecurity (PodSecurityConfiguration): the policy where labels say nothing, and who is exempt. */
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '#cluster/api/field-error.ts'
import { checkDnsLabel, checkDnsSubdomain } from '#cluster/api/name.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { unknownFields } from '../unknown-fields.ts'
import { checkLevel, checkVersion, type Demand, MODES, type Policy } from './policy.ts'

export interface PodSecurityConfiguration {
  readonly defaults: Policy
  readonly exemptions: Readonly<Record<Exempt, ReadonlySet<string>>>
}

const EXEMPT = ['usernames', 'runtimeClasses', 'namespaces'] as const
type Exempt = (typeof EXEMPT)[number]

const GROUP = 'pod-security.admission.config.k8s.io'
const API_VERSIONS = ['v1', 'v1beta1', 'v1alpha1'].map(version => `${GROUP}/${version}`)
const KIND = 'PodSecurityConfiguration'

type Part = Readonly<Record<string, unknown>>

/** Collects what is wrong while it reads. */
class Reading {
  readonly errors: FieldError[] = []

  part(value: unknown, field: string, known: readonly string[]): Part {
    if (value === undefined || value === null) return {}
    if (!isObject(value)) {
      this.errors.push(fieldInvalid(field, value, 'must be an object'))
      return {}
    }
    this.errors.push(...unknownFields(value, field, known))
    return value
  }

  demand(defaults: Part, mode: string, field: string): Demand {
    const [level, version] = [defaults[mode] || 'privileged', defaults[`${mode}-version`] || 'latest']
    this.errors.push(...checkLevel(`${field}.${mode}`, level), ...checkVersion(`${field}.${mode}-version`, version))
    return { level: level as Demand['level'], version: version as string }
  }

  exempt(list: unknown, field: string, check: (name: string) => readonly string[]): ReadonlySet<string> {
    if (list !== undefined && list !== null && !Array.isArray(list))
      this.errors.push(fieldInvalid(field, list, 'must be a list'))
    const names = new Set<string>()
    for (const [index, name] of (Array.isArray(list) ? list : []).entries()) {
      const at = `${field}[${index}]`
      const complaints = typeof name === 'string' ? check(name) : ['must be a text']
      if (name === '') this.errors.push(fieldRequired(at))
      else if (complaints.length > 0) this.errors.push(fieldInvalid(at, name, complaints.join(', ')))
      else if (names.has(name)) this.errors.push(fieldDuplicate(at, name))
      else names.add(name)
    }
    return names
  }
}

const CHECKS: Readonly<Record<Exempt, (name: string) => readonly string[]>> = {
  usernames: () => [],
  runtimeClasses: checkDnsSubdomain,
  namespaces: checkDnsLabel,
}

/** `place`: what stands before the names of its fields; '' for a file of its own. Errors: what is wrong with which field. */
export const readPodSecurityConfiguration = (
  value: unknown,
  place: string,
): { readonly configuration: PodSecurityConfiguration; readonly errors: readonly FieldError[] } => {
  const reading = new Reading()
  const at = (name: string) => (place === '' ? name : `${place}.${name}`)
  const root = reading.part(value, place, ['apiVersion', 'kind', 'defaults', 'exemptions'])
  if (!API_VERSIONS.includes(root.apiVersion as string))
    reading.errors.push(fieldNotSupported(at('apiVersion'), root.apiVersion ?? '', API_VERSIONS))
  if (root.kind !== KIND) reading.errors.push(fieldNotSupported(at('kind'), root.kind ?? '', [KIND]))
  const fields = MODES.flatMap(mode => [mode, `${mode}-version`])
  const defaults = reading.part(root.defaults, at('defaults'), fields)
  const exemptions = reading.part(root.exemptions, at('exemptions'), EXEMPT)
  const demands = MODES.map(mode => [mode, reading.demand(defaults, mode, at('defaults'))])
  const exempt = EXEMPT.map(name => [name, reading.exempt(exemptions[name], at(`exemptions.${name}`), CHECKS[name])])
  const configuration = { defaults: Object.fromEntries(demands), exemptions: Object.fromEntries(exempt) }
  return { configuration, errors: reading.errors }
}

/** Where the operator says nothing. */
export const PRIVILEGED: PodSecurityConfiguration = readPodSecurityConfiguration(
  { apiVersion: API_VERSIONS[0], kind: KIND },
  '',
).configuration
