/** The level `baseline` of the Pod Security Standards (up to Kubernetes 1.35): nothing that is known to reach the node. */
import {
  named,
  type Part,
  type PodParts,
  partAt,
  plural,
  portsOf,
  quoted,
  settersOf,
  sysctlsOf,
  textsAt,
} from './pod-parts.ts'

/** What is wrong, for people; undefined: nothing. */
export type Check = (pod: PodParts) => { readonly reason: string; readonly detail: string } | undefined

/** What a check asked since which minor version of Kubernetes 1, oldest first: a label may pin a level to a version. */
export interface VersionedCheck {
  readonly name: string
  readonly since: readonly (readonly [minor: number, check: Check])[]
  /** The check of the level below that it stands in for. */
  readonly replaces?: string
}

const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/'

const appArmor: Check = pod => {
  const types = new Set<string>()
  const setters = settersOf(pod, context => {
    const { type } = partAt(context, 'appArmorProfile')
    if (type === undefined || type === 'RuntimeDefault' || type === 'Localhost') return false
    types.add(String(type))
    return true
  })
  const annotations = Object.entries(pod.annotations)
    .filter(
      ([key, value]) => key.startsWith(APPARMOR) && value !== '' && !/^(?:runtime\/default$|localhost\/)/.test(value),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  if (setters === '' && annotations.length === 0) return undefined
  const values = [...types, ...annotations].sort()
  const who = [setters, annotations.length > 0 ? plural('annotation', 'annotations', annotations.length) : '']
  return {
    reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', values.length),
    detail: `${who.filter(Boolean).join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  }
}

const DEFAULT_CAPABILITIES = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

const capabilities: Check = ({ containers }) => {
  const added = (container: Part) =>
    textsAt(partAt(container, 'securityContext', 'capabilities').add).filter(name => !DEFAULT_CAPABILITIES.has(name))
  const bad = containers.filter(container => added(container).length > 0)
  if (bad.length === 0) return undefined
  const names = [...new Set(bad.flatMap(added))].sort()
  const detail = `${named(bad)} must not include ${quoted(names)} in securityContext.capabilities.add`
  return { reason: 'non-default capabilities', detail }
}

const hostNamespaces: Check = ({ spec }) => {
  const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter(name => spec[name] === true)
  if (shared.length === 0) return undefined
  return { reason: 'host namespaces', detail: shared.map(name => `${name}=true`).join(', ') }
}

const hostPathVolumes: Check = ({ volumes }) => {
  const bad = volumes.filter(({ hostPath }) => hostPath !== undefined)
  if (bad.length === 0) return undefined
  const names = quoted(bad.map(({ name }) => name))
  return { reason: 'hostPath volumes', detail: `${plural('volume', 'volumes', bad.length)} ${names}` }
}

const hostPorts: Check = ({ containers }) => {
  const portsIn = (container: Part) =>
    portsOf(container).flatMap(({ hostPort }) =>
      typeof hostPort === 'number' && hostPort !== 0 ? [String(hostPort)] : [],
    )
  const bad = containers.filter(container => portsIn(container).length > 0)
  if (bad.length === 0) return undefined
  const ports = [...new Set(bad.flatMap(portsIn))].sort()
  const uses = plural('uses', 'use', bad.length)
  const detail = `${named(bad)} ${uses} ${plural('hostPort', 'hostPorts', ports.length)} ${ports.join(', ')}`
  return { reason: 'hostPort', detail }
}

const HANDLERS = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const

const hostProbes: Check = ({ containers }) => {
  const hostsIn = (container: Part) =>
    HANDLERS.flatMap(path => [partAt(container, ...path, 'httpGet').host, partAt(container, ...path, 'tcpSocket').host])
      .filter(host => typeof host === 'string')
      .filter(host => host !== '')
  const bad = containers.filter(container => hostsIn(container).length > 0)
  if (bad.length === 0) return undefined
  const hosts = [...new Set(bad.flatMap(hostsIn))].sort()
  const what = plural('probe or lifecycle host', 'probe or lifecycle hosts', hosts.length)
  const detail = `${named(bad)} ${plural('uses', 'use', bad.length)} ${what} ${quoted(hosts)}`
  return { reason: 'probe or lifecycle host', detail }
}

const privileged: Check = ({ containers }) => {
  const bad = containers.filter(container => partAt(container, 'securityContext').privileged === true)
  if (bad.length === 0) return undefined
  return { reason: 'privileged', detail: `${named(bad)} must not set securityContext.privileged=true` }
}

export const procMount: Check = ({ containers }) => {
  const mountOf = (container: Part) => partAt(container, 'securityContext').procMount ?? 'Default'
  const bad = containers.filter(container => mountOf(container) !== 'Default')
  if (bad.length === 0) return undefined
  const detail = `${named(bad)} must not set securityContext.procMount to ${quoted(new Set(bad.map(mountOf)))}`
  return { reason: 'procMount', detail }
}

/** KEP-127: who is root in a user namespace of its own is nobody outside. */
export const inUserNamespace =
  (check: Check): Check =>
  pod =>
    pod.spec.hostUsers === false ? undefined : check(pod)

const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t']

const seLinux =
  (allowed: readonly string[]): Check =>
  pod => {
    const types = new Set<string>()
    const others = new Set<string>()
    const setters = settersOf(pod, context => {
      const { type = '', user = '', role = '' } = partAt(context, 'seLinuxOptions') as Readonly<Record<string, string>>
      const bad = !allowed.includes(type)
      if (bad) types.add(type)
      if (user !== '') others.add('user may not be set')
      if (role !== '') others.add('role may not be set')
      return bad || user !== '' || role !== ''
    })
    if (setters === '') return undefined
    const kinds = types.size > 0 ? [`${plural('type', 'types', types.size)} ${quoted([...types].sort())}`] : []
    const detail = `${setters} set forbidden securityContext.seLinuxOptions: ${[...kinds, ...[...others].sort().reverse()].join('; ')}`
    return { reason: 'seLinuxOptions', detail }
  }

export const seccompBaseline: Check = pod => {
  const types = new Set<string>()
  const setters = settersOf(pod, context => {
    const { type } = partAt(context, 'seccompProfile')
    if (type === undefined || type === 'RuntimeDefault' || type === 'Localhost') return false
    types.add(String(type))
    return true
  })
  if (setters === '') return undefined
  const detail = `${setters} must not set securityContext.seccompProfile.type to ${quoted([...types].sort())}`
  return { reason: 'seccompProfile', detail }
}

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'

/** Of before the field. */
const seccompAnnotations: Check = ({ annotations, containers }) => {
  const names = [SECCOMP_POD, ...containers.map(({ name }) => `${SECCOMP_CONTAINER}${String(name)}`)]
  const bad = names.flatMap(name => {
    const value = Object.hasOwn(annotations, name) ? annotations[name]! : 'runtime/default'
    const good = value === 'runtime/default' || value === 'docker/default' || value.startsWith('localhost/')
    return good ? [] : [`${name}=${JSON.stringify(value)}`]
  })
  if (bad.length === 0) return undefined
  const detail = `forbidden ${plural('annotation', 'annotations', bad.length)} ${bad.sort().join(', ')}`
  return { reason: 'seccompProfile', detail }
}

const SAFE_SYSCTLS: readonly (readonly [minor: number, names: readonly string[]])[] = [
  [
    0,
    [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.tcp_syncookies',
      'net.ipv4.ping_group_range',
      'net.ipv4.ip_unprivileged_port_start',
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [
    29,
    [
      'net.ipv4.tcp_keepalive_time',
      'net.ipv4.tcp_fin_timeout',
      'net.ipv4.tcp_keepalive_intvl',
      'net.ipv4.tcp_keepalive_probes',
    ],
  ],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
]

const sysctls =
  (minor: number): Check =>
  pod => {
    const safe = SAFE_SYSCTLS.filter(([first]) => first <= minor).flatMap(([, names]) => names)
    const bad = sysctlsOf(pod).filter(({ name }) => !safe.includes(String(name)))
    return bad.length === 0
      ? undefined
      : { reason: 'forbidden sysctls', detail: bad.map(({ name }) => name).join(', ') }
  }

const hostProcess: Check = pod => {
  const setters = settersOf(pod, context => partAt(context, 'windowsOptions').hostProcess === true)
  return setters === ''
    ? undefined
    : { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` }
}

/** In Kubernetes's order. */
export const BASELINE: readonly VersionedCheck[] = [
  { name: 'appArmorProfile', since: [[0, appArmor]] },
  { name: 'capabilities', since: [[0, capabilities]] },
  { name: 'hostNamespaces', since: [[0, hostNamespaces]] },
  { name: 'hostPathVolumes', since: [[0, hostPathVolumes]] },
  { name: 'hostPorts', since: [[0, hostPorts]] },
  { name: 'hostProbes', since: [[34, hostProbes]] },
  { name: 'privileged', since: [[0, privileged]] },
  {
    name: 'procMount',
    since: [
      [0, procMount],
      [35, inUserNamespace(procMount)],
    ],
  },
  {
    name: 'seLinuxOptions',
    since: [
      [0, seLinux(SELINUX_TYPES)],
      [31, seLinux([...SELINUX_TYPES, 'container_engine_t'])],
    ],
  },
  {
    name: 'seccompProfile',
    since: [
      [0, seccompAnnotations],
      [19, seccompBaseline],
    ],
  },
  { name: 'sysctls', since: SAFE_SYSCTLS.map(([minor]) => [minor, sysctls(minor)] as const) },
  { name: 'windowsHostProcess', since: [[0, hostProcess]] },
]
