/** A pod in one line: READY, STATUS and RESTARTS of `kubectl get pods`, in kubectl's own logic. */
import { ageSince } from '../age.ts'
import type { ContainerState, ContainerStatus, Pod } from './pod.ts'

export interface PodSummary {
  readonly ready: number
  readonly total: number
  /** `Running`, `Init:0/1`, `CrashLoopBackOff`, `Terminating` … */
  readonly status: string
  /** `0`, or `3 (5m ago)`. */
  readonly restarts: string
}

/** Restarts of some containers, and when the last one ended. */
interface Restarts {
  readonly count: number
  readonly last: string
}

const countRestarts = (statuses: readonly ContainerStatus[]): Restarts => {
  let count = 0
  let last = ''
  for (const { restartCount = 0, lastState } of statuses) {
    count += restartCount
    const finished = lastState?.terminated?.finishedAt ?? ''
    if (finished > last) last = finished
  }
  return { count, last }
}

const add = (a: Restarts, b: Restarts): Restarts => ({
  count: a.count + b.count,
  last: [a.last, b.last].sort().at(1) ?? '',
})

const endedText = ({ reason, signal, exitCode = 0 }: NonNullable<ContainerState['terminated']>): string => {
  if (reason) return reason
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`
}

const hasCondition = ({ status }: Pod, type: string): boolean =>
  status?.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false

/** Init containers that stay: sidecars (KEP-753). */
const sidecarsOf = ({ spec: { initContainers = [] } }: Pod): ReadonlySet<string | undefined> =>
  initContainers.length === 0
    ? NO_SIDECARS
    : new Set(initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name))

const NO_SIDECARS: ReadonlySet<string | undefined> = new Set()

interface InitState {
  /** What the first init container that is not done says; undefined when all are. */
  readonly status: string | undefined
  readonly ready: number
}

const initState = (pod: Pod): InitState => {
  const sidecars = sidecarsOf(pod)
  const statuses = pod.status?.initContainerStatuses ?? []
  let ready = 0
  for (const [index, container] of statuses.entries()) {
    const { terminated, waiting } = container.state ?? {}
    if (terminated && (terminated.exitCode ?? 0) === 0) continue
    if (sidecars.has(container.name) && container.started) {
      if (container.ready) ready++
      continue
    }
    if (terminated) return { status: `Init:${endedText(terminated)}`, ready }
    const reason = waiting?.reason
    if (reason && reason !== 'PodInitializing') return { status: `Init:${reason}`, ready }
    return { status: `Init:${index}/${pod.spec.initContainers?.length ?? 0}`, ready }
  }
  return { status: undefined, ready }
}

const mainState = (pod: Pod, before: string): { readonly status: string; readonly ready: number } => {
  let status = before
  let ready = 0
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated, running } = container.state ?? {}
    if (waiting?.reason) status = waiting.reason
    else if (terminated) status = endedText(terminated)
    else if (container.ready && running) ready++
  }
  // Some containers ended well and others go on: the pod as a whole does.
  if (status === 'Completed' && ready > 0) status = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady'
  return { status, ready }
}

const isGated = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated') ?? false

const endingStatus = (pod: Pod, status: string): string => {
  if (pod.metadata.deletionTimestamp === undefined) return status
  if (pod.status?.reason === 'NodeLost') return 'Unknown'
  const { phase } = pod.status ?? {}
  return phase === 'Succeeded' || phase === 'Failed' ? status : 'Terminating'
}

export const summarisePod = (pod: Pod, now: number): PodSummary => {
  const sidecars = sidecarsOf(pod)
  const initStatuses = pod.status?.initContainerStatuses ?? []
  const init = initState(pod)
  let status = isGated(pod) ? 'SchedulingGated' : pod.status?.reason || pod.status?.phase || ''
  let ready = init.ready
  let restarts = countRestarts(initStatuses)
  if (init.status !== undefined) status = init.status
  if (init.status === undefined || hasCondition(pod, 'Initialized')) {
    const main = mainState(pod, status)
    status = main.status
    ready += main.ready
    restarts = add(
      countRestarts(initStatuses.filter(({ name }) => sidecars.has(name))),
      countRestarts(pod.status?.containerStatuses ?? []),
    )
  }
  return {
    ready,
    total: (pod.spec.containers?.length ?? 0) + sidecars.size,
    status: endingStatus(pod, status),
    restarts:
      restarts.count > 0 && restarts.last !== ''
        ? `${restarts.count} (${ageSince(restarts.last, now)} ago)`
        : String(restarts.count),
  }
}
