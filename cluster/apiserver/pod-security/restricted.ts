/** The level `restricted` of the Pod Security Standards (up to Kubernetes 1.35): what hardened Pods do without. */
import { type Check, inUserNamespace, procMount, seccompBaseline, type VersionedCheck } from './baseline.ts'
import { named, type Part, partAt, plural, quoted, settersOf, textsAt } from './pod-parts.ts'

/** Of containers, where they are Linux's. */
const contextOf = (container: Part): Part => partAt(container, 'securityContext')

const allowPrivilegeEscalation: Check = ({ containers }) => {
  const bad = containers.filter(container => contextOf(container).allowPrivilegeEscalation !== false)
  if (bad.length === 0) return undefined
  const detail = `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`
  return { reason: 'allowPrivilegeEscalation != false', detail }
}

const capabilities: Check = ({ containers }) => {
  const listOf = (container: Part, which: 'add' | 'drop') =>
    textsAt(partAt(contextOf(container), 'capabilities')[which])
  const added = (container: Part) => listOf(container, 'add').filter(name => name !== 'NET_BIND_SERVICE')
  const keeping = containers.filter(container => !listOf(container, 'drop').includes('ALL'))
  const adding = containers.filter(container => added(container).length > 0)
  const names = [...new Set(adding.flatMap(added))].sort()
  const details = [
    ...(keeping.length > 0 ? [`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0
      ? [`${named(adding)} must not include ${quoted(names)} in securityContext.capabilities.add`]
      : []),
  ]
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

const VOLUME_TYPES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

const volumes: Check = ({ volumes: all }) => {
  const typeOf = (volume: Part) => Object.keys(volume).find(field => field !== 'name' && !VOLUME_TYPES.has(field))
  const bad = all.filter(volume => typeOf(volume) !== undefined)
  if (bad.length === 0) return undefined
  const types = [...new Set(bad.map(typeOf))].sort()
  const names = `${plural('volume', 'volumes', bad.length)} ${quoted(bad.map(({ name }) => name))}`
  const what = plural('restricted volume type', 'restricted volume types', types.length)
  return {
    reason: 'restricted volume types',
    detail: `${names} ${plural('uses', 'use', bad.length)} ${what} ${quoted(types)}`,
  }
}

const runAsNonRoot: Check = pod => {
  const reason = 'runAsNonRoot != true'
  const setters = settersOf(pod, context => context.runAsNonRoot === false)
  if (setters !== '') return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` }
  if (partAt(pod.spec, 'securityContext').runAsNonRoot === true) return undefined
  const bad = pod.containers.filter(container => contextOf(container).runAsNonRoot === undefined)
  if (bad.length === 0) return undefined
  return { reason, detail: `pod or ${named(bad)} must set securityContext.runAsNonRoot=true` }
}

const runAsUser: Check = pod => {
  const setters = settersOf(pod, context => context.runAsUser === 0)
  return setters === '' ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` }
}

const seccomp: Check = pod => {
  const forbidden = seccompBaseline(pod)
  if (forbidden) return forbidden
  const hasProfile = (context: Part) => partAt(context, 'seccompProfile').type !== undefined
  if (hasProfile(partAt(pod.spec, 'securityContext'))) return undefined
  const bad = pod.containers.filter(container => !hasProfile(contextOf(container)))
  if (bad.length === 0) return undefined
  const detail = `pod or ${named(bad)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`
  return { reason: 'seccompProfile', detail }
}

/** What Windows does not know need not be said there. */
const besidesWindows =
  (check: Check): Check =>
  pod =>
    partAt(pod.spec, 'os').name === 'windows' ? undefined : check(pod)

/** In Kubernetes's order, after those of `baseline`. */
export const RESTRICTED: readonly VersionedCheck[] = [
  {
    name: 'allowPrivilegeEscalation',
    since: [
      [8, allowPrivilegeEscalation],
      [25, besidesWindows(allowPrivilegeEscalation)],
    ],
  },
  {
    name: 'capabilities_restricted',
    since: [
      [22, capabilities],
      [25, besidesWindows(capabilities)],
    ],
    replaces: 'capabilities',
  },
  { name: 'procMount_restricted', since: [[35, procMount]], replaces: 'procMount' },
  { name: 'restrictedVolumes', since: [[0, volumes]], replaces: 'hostPathVolumes' },
  {
    name: 'runAsNonRoot',
    since: [
      [0, runAsNonRoot],
      [35, inUserNamespace(runAsNonRoot)],
    ],
  },
  {
    name: 'runAsUser',
    since: [
      [23, runAsUser],
      [35, inUserNamespace(runAsUser)],
    ],
  },
  {
    name: 'seccompProfile_restricted',
    since: [
      [19, seccomp],
      [25, besidesWindows(seccomp)],
    ],
    replaces: 'seccompProfile',
  },
]
