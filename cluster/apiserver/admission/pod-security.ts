/**
 * Pods of a namespace keep to the level of the Pod Security Standards that its labels name (KEP-2579): `enforce` refuses,
 * `warn` warns. Levels are those of Kubernetes 1.35, whatever version a label pins.
 */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { forbidden, invalid } from '#cluster/api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { BASELINE, type Check } from '../pod-security/baseline.ts'
import { type PodParts, podParts } from '../pod-security/pod-parts.ts'
import { RESTRICTED } from '../pod-security/restricted.ts'
import type { Cacher } from '../storage/cacher.ts'

const PREFIX = 'pod-security.kubernetes.io/'
const MODES = ['enforce', 'audit', 'warn'] as const

const LEVELS: Readonly<Record<string, readonly Check[]>> = {
  privileged: [],
  baseline: BASELINE,
  restricted: RESTRICTED,
}
const VERSION = /^(?:latest|v1\.(?:0|[1-9]\d*))$/

const labelsOf = ({ metadata }: ApiObject): Readonly<Record<string, string>> => metadata.labels ?? {}

/** The violations of what a mode's labels ask for, in words; undefined: none. */
const violations = (labels: Readonly<Record<string, string>>, mode: 'enforce' | 'warn', pod: PodParts) => {
  const level = labels[PREFIX + mode] ?? 'privileged'
  // A level that nobody knows is taken for the strictest.
  const checks = Object.hasOwn(LEVELS, level) ? LEVELS[level]! : RESTRICTED
  const found = checks.map(check => check(pod)).filter(problem => problem !== undefined)
  if (found.length === 0) return undefined
  const name = `${Object.hasOwn(LEVELS, level) ? level : 'restricted'}:${labels[`${PREFIX}${mode}-version`] ?? 'latest'}`
  const list = found.map(({ reason, detail }) => `${reason} (${detail})`).join(', ')
  return `violate${mode === 'enforce' ? 's' : ''} PodSecurity ${JSON.stringify(name)}: ${list}`
}

const checkLabels = ({ object, current }: AdmissionRequest): Refusal => {
  const labels = labelsOf(object)
  const before = current ? labelsOf(current) : {}
  const errors: FieldError[] = []
  for (const mode of MODES) {
    const [level, version] = [PREFIX + mode, `${PREFIX}${mode}-version`]
    const changed = (label: string) => labels[label] !== undefined && labels[label] !== before[label]
    if (changed(level) && !Object.hasOwn(LEVELS, labels[level]!)) {
      const detail = `must be one of ${Object.keys(LEVELS).join(', ')}`
      errors.push(fieldInvalid(`metadata.labels[${level}]`, labels[level], detail))
    }
    if (changed(version) && !VERSION.test(labels[version]!))
      errors.push(fieldInvalid(`metadata.labels[${version}]`, labels[version], 'must be "latest" or "v1.x"'))
  }
  return errors.length > 0 ? invalid({ ...namespaceKind, name: object.metadata.name ?? '' }, errors) : undefined
}

export const createPodSecurity = (cacher: Cacher): AdmissionPlugin => {
  const checkPod = ({ kind, object, current, namespace = '', name, warn }: AdmissionRequest): Refusal => {
    const space = cacher.cache(namespaceKind).get(namespace)?.object
    if (!space || !isObject(object.spec)) return undefined
    // What a Pod may change later does not make it another Pod; what it began as was looked at.
    if (current && isDeepStrictEqual(object.spec, current.spec)) return undefined
    const pod = podParts(object.spec, object.metadata.annotations ?? {})
    const labels = labelsOf(space)
    const enforced = violations(labels, 'enforce', pod)
    if (enforced) return forbidden({ ...kind, name: name || (object.metadata.name ?? '') }, enforced)
    const warned = violations(labels, 'warn', pod)
    if (warned) warn(`would ${warned}`)
    return undefined
  }
  return {
    name: 'PodSecurity',
    validate(request) {
      const { verb, kind, subresource } = request
      if (verb === 'delete' || subresource !== '') return undefined
      if (kind === namespaceKind) return checkLabels(request)
      return kind === podKind ? checkPod(request) : undefined
    },
  }
}
