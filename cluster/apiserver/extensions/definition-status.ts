/** What the server says of a CustomResourceDefinition: which names it has, and whether it may be served. */

import { approvalOf, isProtectedGroup } from '#cluster/api/custom/approval.ts'
import {
  type Condition,
  type DefinitionStatus,
  type Names,
  setCondition,
  specOf,
  statusOf,
} from '#cluster/api/custom/definition.ts'
import type { ApiObject } from '#cluster/api/object.ts'

/** Names that other definitions of the group have. */
interface Taken {
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

const takenBy = (others: readonly ApiObject[]): Taken => {
  const accepted = others.map(other => statusOf(other).acceptedNames ?? {})
  const names = (list: readonly (string | undefined)[]) =>
    new Set(list.filter(name => name !== undefined && name !== '') as string[])
  return {
    resources: names(accepted.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames])),
    kinds: names(accepted.flatMap(({ kind, listKind }) => [kind, listKind])),
  }
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`

interface Judgement {
  readonly names: Names
  /** Of the last name that is not free. */
  readonly conflict: { readonly reason: string; readonly message: string } | undefined
}

const SINGLE = [
  ['plural', 'PluralConflict', 'resources'],
  ['singular', 'SingularConflict', 'resources'],
  ['kind', 'KindConflict', 'kinds'],
  ['listKind', 'ListKindConflict', 'kinds'],
] as const

/** Each name is taken as wanted where nobody else has it; else it stays what it is. */
const judgeNames = (wanted: Names, accepted: Names, taken: Taken): Judgement => {
  const names: Names = { ...accepted }
  let conflict: Judgement['conflict']
  for (const [name, reason, realm] of SINGLE) {
    const value = wanted[name]
    if (value === undefined) continue
    if (value === accepted[name] || !taken[realm].has(value)) names[name] = value
    else conflict = { reason, message: inUse(value) }
  }
  const refused = (wanted.shortNames ?? []).filter(
    name => !accepted.shortNames?.includes(name) && taken.resources.has(name),
  )
  if (refused.length > 0) {
    const texts = refused.map(inUse)
    conflict = { reason: 'ShortNamesConflict', message: texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]` }
  } else if (wanted.shortNames) names.shortNames = wanted.shortNames
  else delete names.shortNames
  if (wanted.categories) names.categories = wanted.categories
  else delete names.categories
  return { names, conflict }
}

const approvalCondition = (definition: ApiObject): Condition => {
  const { approval, reason: message } = approvalOf(definition)
  const type = 'KubernetesAPIApprovalPolicyConformant'
  switch (approval) {
    case 'approved':
      return { type, status: 'True', reason: 'ApprovedAnnotation', message }
    case 'bypassed':
      return { type, status: 'False', reason: 'UnapprovedAnnotation', message }
    case 'invalid':
      return { type, status: 'False', reason: 'InvalidAnnotation', message }
    case 'missing':
      return { type, status: 'False', reason: 'MissingAnnotation', message }
  }
}

const ESTABLISHED = 'Established'

/**
 * The status that a definition shall have. `others`: the definitions of its group besides it. `now`: RFC 3339, whole
 * seconds.
 */
export const judgeDefinition = (definition: ApiObject, others: readonly ApiObject[], now: string): DefinitionStatus => {
  const status = structuredClone(statusOf(definition))
  const { names: wanted = {}, group = '' } = specOf(definition)
  const { names, conflict } = judgeNames(wanted, status.acceptedNames ?? {}, takenBy(others))
  status.acceptedNames = names
  if (isProtectedGroup(group)) setCondition(status, approvalCondition(definition), now)
  const accepted: Condition = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  setCondition(status, accepted, now)
  // What was established once stays so, whatever becomes of its names.
  if (status.conditions?.some(({ type, status: value }) => type === ESTABLISHED && value === 'True')) return status
  const established: Condition = conflict
    ? { type: ESTABLISHED, status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
    : {
        type: ESTABLISHED,
        status: 'True',
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      }
  setCondition(status, established, now)
  return status
}
