/** What a namespace that is being emptied says about it: the five conditions, reasons and words of Kubernetes. */
import type { Milliseconds } from '#lib/clock.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'

export interface Emptying {
  readonly discoveryFailures: readonly string[]
  readonly deleteFailures: string[]
  readonly remaining: { readonly resource: Resource; readonly count: number }[]
  /** Finalizer → how many objects wait for it. */
  readonly finalizers: Map<string, number>
}

export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

export interface Namespace extends ApiObject {
  readonly spec?: { readonly finalizers?: readonly string[] }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] }
}

interface Finding {
  readonly type: string
  /** Undefined: all is well. */
  readonly trouble: readonly [reason: string, message: string] | undefined
  readonly well: readonly [reason: string, message: string]
}

const findings = ({ discoveryFailures, deleteFailures, remaining, finalizers }: Emptying): Finding[] => [
  {
    type: 'NamespaceDeletionDiscoveryFailure',
    trouble:
      discoveryFailures.length > 0
        ? [
            'DiscoveryFailed',
            `Discovery failed for some groups, ${discoveryFailures.length} failing: ${discoveryFailures.join(', ')}`,
          ]
        : undefined,
    well: ['ResourcesDiscovered', 'All resources successfully discovered'],
  },
  {
    type: 'NamespaceDeletionGroupVersionParsingFailure',
    trouble: undefined,
    well: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  },
  {
    type: 'NamespaceDeletionContentFailure',
    trouble:
      deleteFailures.length > 0
        ? [
            'ContentDeletionFailed',
            `Failed to delete all resource types, ${deleteFailures.length} remaining: ${deleteFailures.join(', ')}`,
          ]
        : undefined,
    well: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  },
  {
    type: 'NamespaceContentRemaining',
    trouble:
      remaining.length > 0
        ? [
            'SomeResourcesRemain',
            `Some resources are remaining: ${remaining
              .map(({ resource, count }) => `${resource.resource}.${resource.group} has ${count} resource instances`)
              .sort()
              .join(', ')}`,
          ]
        : undefined,
    well: ['ContentRemoved', 'All content successfully removed'],
  },
  {
    type: 'NamespaceFinalizersRemaining',
    trouble:
      finalizers.size > 0
        ? [
            'SomeFinalizersRemain',
            `Some content in the namespace has finalizers remaining: ${[...finalizers]
              .map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
              .sort()
              .join(', ')}`,
          ]
        : undefined,
    well: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
  },
]

export const conditionsOf = (emptying: Emptying, now: Milliseconds): Condition[] => {
  const lastTransitionTime = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
  return findings(emptying).map(({ type, trouble, well }) => {
    const [reason, message] = trouble ?? well
    return { type, status: trouble ? 'True' : 'False', reason, message, lastTransitionTime }
  })
}

/** The namespace with these conditions among its own; the same object when they say nothing new. */
export const withConditions = (namespace: Namespace, conditions: readonly Condition[]): Namespace => {
  const before = namespace.status?.conditions ?? []
  const next = conditions.map(condition => {
    const old = before.find(({ type }) => type === condition.type)
    if (old?.status !== condition.status) return condition
    return old.reason === condition.reason && old.message === condition.message
      ? old
      : { ...condition, lastTransitionTime: old.lastTransitionTime }
  })
  const others = before.filter(({ type }) => !conditions.some(condition => condition.type === type))
  const same = next.length + others.length === before.length && next.every(condition => before.includes(condition))
  return same ? namespace : { ...namespace, status: { ...namespace.status, conditions: [...others, ...next] } }
}
