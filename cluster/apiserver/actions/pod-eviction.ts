/**
 * POST to pods/NAME/eviction: the Pod is deleted if its PodDisruptionBudget allows (Kubernetes: API-initiated eviction).
 * The budget is counted down before the Pod goes, so that two who evict at once do not both believe it.
 */
import { cloneJson } from '#cluster/api/clone.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { podDisruptionBudgetKind } from '#cluster/api/kinds/pod-disruption-budget.ts'
import { type LabelSelector, matchesSelector } from '#cluster/api/label-selector.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { evictionKind } from '#cluster/api/pod-actions.ts'
import { badRequest, failure, forbidden, notFound, type Status, success, unexplained } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Action, ActionCall, ActionEnvironment } from '../action.ts'
import type { Registry } from '../registry.ts'
import { objectKey } from '../storage/keys.ts'
import { remove } from '../verbs/delete.ts'
import { checkDeleteOptions, type DeleteOptions } from '../verbs/delete-options.ts'
import { update } from '../verbs/update.ts'

interface Budget extends ApiObject {
  spec?: { selector?: LabelSelector; unhealthyPodEvictionPolicy?: string }
  status?: {
    observedGeneration?: number
    disruptionsAllowed?: number
    currentHealthy?: number
    desiredHealthy?: number
    disruptedPods?: Record<string, string>
  }
}

/** Seconds: the budget's controller is about to say. */
const SOON = 10
const MAX_DISRUPTED = 2000

const tooMany = (detail: string, retryAfterSeconds = 0): Status =>
  failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: detail }],
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  })

/** Pods that run nothing, or go already, have no budget. */
const isIdle = ({ metadata, status }: ApiObject): boolean =>
  metadata.deletionTimestamp !== undefined ||
  ['Succeeded', 'Failed', 'Pending'].includes((status as { phase?: string } | undefined)?.phase ?? '')

const isReady = ({ status }: ApiObject): boolean =>
  ((status as { conditions?: { type?: string; status?: string }[] } | undefined)?.conditions ?? []).some(
    condition => condition.type === 'Ready' && condition.status === 'True',
  )

const budgetsOf = (registry: Registry, pod: ApiObject): readonly Budget[] =>
  registry.cacher
    .cache(podDisruptionBudgetKind)
    .list(pod.metadata.namespace)
    .map(stored => stored.object as Budget)
    .filter(({ spec }) => spec?.selector && matchesSelector(spec.selector, pod.metadata.labels ?? {}))

/** KEP-3017: a Pod that is not ready does no work that its budget protects. */
const mayGoUnhealthy = ({ spec = {}, status = {} }: Budget): boolean => {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = status
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy
}

const objection = ({ metadata, status = {} }: Budget): Status | undefined => {
  const { name = '', generation = 0 } = metadata
  const { observedGeneration = 0, disruptionsAllowed = 0, desiredHealthy = 0, currentHealthy = 0 } = status
  if (observedGeneration < generation)
    return tooMany(`The disruption budget ${name} is still being processed by the server.`, SOON)
  const subject = { ...podDisruptionBudgetKind, name }
  if (disruptionsAllowed < 0) return forbidden(subject, 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED)
    return forbidden(subject, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  if (disruptionsAllowed > 0) return undefined
  return tooMany(
    `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
  )
}

/** Undefined: one less is allowed now. */
const countDown = async (registry: Registry, budget: Budget, call: ActionCall): Promise<Status | undefined> => {
  const { manager, warn, dryRun } = call
  const { namespace, name = '' } = budget.metadata
  const target = { resource: registry.resource(podDisruptionBudgetKind), namespace, name, subresource: 'status' }
  const change = (current: ApiObject | undefined): Result<ApiObject, Status> => {
    if (!current) return refused(notFound({ ...podDisruptionBudgetKind, name }))
    const problem = objection(current as Budget)
    if (problem) return refused(problem)
    const next = cloneJson(current) as Budget
    const { status = {} } = next
    const disruptedPods = { ...status.disruptedPods, [call.name]: timestamp(registry.clock.now()) }
    next.status = { ...status, disruptionsAllowed: (status.disruptionsAllowed ?? 0) - 1, disruptedPods }
    return accepted(next)
  }
  const updated = await update(registry, target, change, { dryRun, manager, warn })
  return updated.ok ? undefined : updated.problem
}

const judge = async (registry: Registry, pod: ApiObject, call: ActionCall): Promise<Status | undefined> => {
  if (isIdle(pod)) return undefined
  const [budget, ...others] = budgetsOf(registry, pod)
  if (others.length > 0) {
    const text = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
    return unexplained(text)
  }
  if (!budget || (!isReady(pod) && mayGoUnhealthy(budget))) return undefined
  return countDown(registry, budget, call)
}

const readOptions = ({ object, dryRun }: ActionCall): Result<DeleteOptions, Status> => {
  const { deleteOptions } = object
  const read = checkDeleteOptions(isObject(deleteOptions) ? deleteOptions : {})
  return read.ok ? accepted({ ...read.value, dryRun: dryRun || read.value.dryRun }) : read
}

export const podEviction = ({ registry }: ActionEnvironment): Action => ({
  kind: evictionKind,
  subresourceOf: { kind: podKind, subresource: 'eviction' },
  async run(call) {
    const { object, namespace, name, manager, warn } = call
    if (object.metadata.name !== name) return refused(badRequest('name in URL does not match name in Eviction object'))
    const options = readOptions(call)
    if (!options.ok) return options
    await registry.cacher.fresh()
    const resource = registry.resource(podKind)
    const pod = resource.cache.get(objectKey(podKind, namespace, name))?.object
    if (!pod) return refused(notFound({ ...podKind, name }))
    const { dryRun } = options.value
    const problem = await judge(registry, pod, { ...call, dryRun })
    if (problem) return refused(problem)
    const removed = await remove(registry, { resource, namespace, name }, options.value, { dryRun, manager, warn })
    return removed.ok ? accepted(success(201)) : removed
  },
})
