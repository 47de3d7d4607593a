/**
 * What the labels of a namespace ask of its Pods (KEP-2579): a level of the Pod Security Standards for each mode, as a
 * version of Kubernetes has it.
 */
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import { BASELINE, type Check, type VersionedCheck } from './baseline.ts'
import type { PodParts } from './pod-parts.ts'
import { RESTRICTED } from './restricted.ts'

const PREFIX = 'pod-security.kubernetes.io/'
const MODES = ['enforce', 'audit', 'warn'] as const
/** From the loosest to the strictest. */
const LEVELS = ['privileged', 'baseline', 'restricted'] as const
const VERSION = /^(?:latest|v1\.(?:0|[1-9]\d{0,8}))$/

type Labels = Readonly<Record<string, string>>

export interface Demand {
  readonly level: (typeof LEVELS)[number]
  /** `latest` or `v1.MINOR`. */
  readonly version: string
}

export type Policy = Readonly<Record<(typeof MODES)[number], Demand>>

const isLevel = (text: string): text is Demand['level'] => (LEVELS as readonly string[]).includes(text)

const demandOf = (labels: Labels, mode: (typeof MODES)[number]): Demand => {
  const level = labels[PREFIX + mode]
  const version = labels[`${PREFIX}${mode}-version`] ?? 'latest'
  // What nobody knows is enforced as the strictest, and otherwise not told of.
  const known = level === undefined || !isLevel(level) ? undefined : level
  const unknown = level !== undefined && mode === 'enforce' ? 'restricted' : 'privileged'
  return { level: known ?? unknown, version: VERSION.test(version) ? version : 'latest' }
}

export const isStricter = (a: Demand, b: Demand): boolean => LEVELS.indexOf(a.level) > LEVELS.indexOf(b.level)

export const policyOf = (labels: Labels): Policy => {
  const enforce = demandOf(labels, 'enforce')
  const warn = demandOf(labels, 'warn')
  // What would be refused as a Pod is warned of where it is a template.
  const implied = labels[`${PREFIX}warn`] === undefined && isLevel(labels[`${PREFIX}enforce`] ?? '')
  const version = labels[`${PREFIX}warn-version`] === undefined ? enforce.version : warn.version
  return {
    enforce,
    audit: demandOf(labels, 'audit'),
    warn: implied && isStricter(enforce, warn) ? { level: enforce.level, version } : warn,
  }
}

/** Labels that are no level or no version, and were not so before. */
export const checkPolicyLabels = (labels: Labels, before: Labels): FieldError[] =>
  MODES.flatMap(mode => {
    const [level, version] = [PREFIX + mode, `${PREFIX}${mode}-version`]
    const changed = (label: string) => labels[label] !== undefined && labels[label] !== before[label]
    const errors: FieldError[] = []
    if (changed(level) && !isLevel(labels[level]!))
      errors.push(fieldInvalid(`metadata.labels[${level}]`, labels[level], `must be one of ${LEVELS.join(', ')}`))
    if (changed(version) && !VERSION.test(labels[version]!))
      errors.push(fieldInvalid(`metadata.labels[${version}]`, labels[version], 'must be "latest" or "v1.x"'))
    return errors
  })

const checkAt = ({ since }: VersionedCheck, minor: number): Check | undefined =>
  since.findLast(([first]) => first <= minor)?.[1]

const checksOf = ({ level, version }: Demand): readonly Check[] => {
  if (level === 'privileged') return []
  const minor = version === 'latest' ? Number.POSITIVE_INFINITY : Number(version.slice('v1.'.length))
  const own = level === 'restricted' ? RESTRICTED.filter(check => checkAt(check, minor)) : []
  const replaced = new Set(own.map(({ replaces }) => replaces))
  const all = [...BASELINE.filter(({ name }) => !replaced.has(name)), ...own]
  return all.flatMap(check => checkAt(check, minor) ?? [])
}

export const nameOf = ({ level, version }: Demand): string => JSON.stringify(`${level}:${version}`)

/** What a Pod has against a demand; none: nothing. */
export const violationsOf = (demand: Demand, pod: PodParts): readonly NonNullable<ReturnType<Check>>[] =>
  checksOf(demand).flatMap(check => check(pod) ?? [])
