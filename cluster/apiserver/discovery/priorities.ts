/**
 * In which order clients see groups, and the versions of one, as kube-apiserver's APIServices have it: kubectl takes the
 * first group that has a name. What is not named here is a custom resource's.
 */

export interface Priority {
  /** The higher, the earlier. */
  readonly groupPriorityMinimum: number
  readonly versionPriority: number
}

const GROUPS: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'admissionregistration.k8s.io': 16_700,
  'apiextensions.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
}

const VERSIONS: Readonly<Record<string, number>> = { '/v1': 1, 'autoscaling/v2': 30 }

/** KEP-1111 and before: of versions that nobody ranks. */
const BUILT_IN_VERSION = 15

export const CUSTOM_PRIORITY: Priority = { groupPriorityMinimum: 1000, versionPriority: 100 }

/** The group of the APIServices themselves: no APIService speaks of it, and it is listed first. */
export const APISERVICES_GROUP = 'apiregistration.k8s.io'

export const priorityOf = ({ group, version }: { readonly group: string; readonly version: string }): Priority => {
  if (group === APISERVICES_GROUP) return { groupPriorityMinimum: 20_000, versionPriority: BUILT_IN_VERSION }
  const groupPriorityMinimum = Object.hasOwn(GROUPS, group) ? GROUPS[group] : undefined
  if (groupPriorityMinimum === undefined) return CUSTOM_PRIORITY
  return { groupPriorityMinimum, versionPriority: VERSIONS[`${group}/${version}`] ?? BUILT_IN_VERSION }
}

/** What a version is called says how far it is: v2 before v1 before v1beta1 before v1alpha1, other names last. */
const VERSION_SYNTAX = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/

const rankOf = (version: string): readonly number[] => {
  const match = VERSION_SYNTAX.exec(version)
  if (!match) return [0, 0, 0]
  const stability = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1
  return [stability, Number(match[1]), Number(match[3] ?? 0)]
}

/** Negative: `a` comes first. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [rankOf(a), rankOf(b)]
  for (const [index, rank] of left.entries()) if (rank !== right[index]) return right[index]! - rank
  return a < b ? -1 : a > b ? 1 : 0
}
