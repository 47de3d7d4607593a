/**
 * What the labels of a namespace ask of its Pods (KEP-2579): a level of the Pod Security Standards for each mode, as a
 * version of Kubernetes has it.
 */
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import { BASELINE, type Check, type VersionedCheck } from './baseline.ts'
import type { PodParts } from './pod-parts.ts'
import { RESTRICTED } from './restricted.ts'

const PREFIX = 'pod-security.kubernetes.io/'
export const MODES = ['enforce', 'audit', 'warn'] as const
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

const demandOf = (labels: Labels, mode: (typeof MODES)[number], defaults: Policy): Demand => {
  const level = labels[PREFIX + mode] ?? defaults[mode].level
  const version = labels[`${PREFIX}${mode}-version`] ?? defaults[mode].version
  // What nobody knows is enforced as the strictest, and otherwise not told of.
  const unknown = mode === 'enforce' ? 'restricted' : 'privileged'
  return { level: isLevel(level) ? level : unknown, version: VERSION.test(version) ? version : 'latest' }
}

export const isStricter = (a: Demand, b: Demand): boolean => LEVELS.indexOf(a.level) > LEVELS.indexOf(b.level)

/** `defaults`: what is asked where the labels say nothing. */
export const policyOf = (labels: Labels, defaults: Policy): Policy => {
  const enforce = demandOf(labels, 'enforce', defaults)
  const warn = demandOf(labels, 'warn', defaults)
  // What would be refused as a Pod is warned of where it is a template.
  const implied = labels[`${PREFIX}warn`] === undefined && isLevel(labels[`${PREFIX}enforce`] ?? '')
  const version = labels[`${PREFIX}warn-version`] === undefined ? enforce.version : warn.version
  return {
    enforce,
    audit: demandOf(labels, 'audit', defaults),
    warn: implied && isStricter(enforce, warn) ? { level: enforce.level, version } : warn,
  }
}

export const checkLevel = (field: string, level: unknown): FieldError[] =>
  typeof level === 'string' && isLevel(level) ? [] : [fieldInvalid(field, level, `must be one of ${LEVELS.join(', ')}`)]

export const checkVersion = (field: string, version: unknown): FieldError[] =>
  typeof version === 'string' && VERSION.test(version)
    ? []
    : [fieldInvalid(field, version, 'must be "latest" or "v1.x"')]

/** Labels that are no level or no version, and were not so before. */
export const checkPolicyLabels = (labels: Labels, before: Labels): FieldError[] =>
  MODES.flatMap(mode => {
    const changed = (label: string, check: typeof checkLevel) =>
      labels[label] === undefined || labels[label] === before[label]
        ? []
        : check(`metadata.labels[${label}]`, labels[label])
    return [...changed(PREFIX + mode, checkLevel), ...changed(`${PREFIX}${mode}-version`, checkVersion)]
  })

/** `enforce=baseline:latest, warn=…`: what the labels themselves ask beyond nothing. */
export const labelledPolicy = (labels: Labels, policy: Policy): string =>
  MODES.filter(mode => labels[PREFIX + mode] !== undefined || labels[`${PREFIX}${mode}-version`] !== undefined)
    .filter(mode => policy[mode].level !== 'privileged')
    .map(mode => `${mode}=${policy[mode].level}:${policy[mode].version}`)
    .join(', ')

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
