/** What an absent field of a Pod means. Priority, tolerations and the service account are admission's. */
import type { ApiObject } from '../object.ts'
import { applySchemaDefaults } from '../schema-defaults.ts'
import type {
  Container,
  EnvironmentVariable,
  Pod,
  PodSpec,
  PodStatus,
  Probe,
  ProbeHandler,
  ResourceRequirements,
  Volume,
  VolumeItem,
} from './pod.ts'

/** Files of a volume: rw-r--r--. */
const FILE_MODE = 0o644
const TOKEN_SECONDS = 3600

/** An image without tag, or with tag latest, may change under its name; one with a digest cannot. */
const mayChange = (image: string): boolean => {
  if (image.includes('@')) return false
  const last = image.slice(image.lastIndexOf('/') + 1)
  return !last.includes(':') || last.endsWith(':latest')
}

const pullPolicy = (image = ''): string => (mayChange(image) ? 'Always' : 'IfNotPresent')

const setHandler = (handler: ProbeHandler | undefined): void => {
  if (!handler?.httpGet) return
  handler.httpGet.path ||= '/'
  handler.httpGet.scheme ||= 'HTTP'
}

const setProbe = (probe: Probe | undefined): void => {
  if (!probe) return
  setHandler(probe)
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
}

/** A limit without a request asks for as much. */
const setRequests = (resources: ResourceRequirements | undefined): void => {
  if (!resources?.limits) return
  resources.requests = { ...resources.limits, ...resources.requests }
}

const setEnvironment = (variables: readonly EnvironmentVariable[] = []): void => {
  for (const { valueFrom } of variables) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
  }
}

const setContainer = (container: Container): void => {
  container.imagePullPolicy ||= pullPolicy(container.image)
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  setProbe(container.livenessProbe)
  setProbe(container.readinessProbe)
  setProbe(container.startupProbe)
  setHandler(container.lifecycle?.postStart)
  setHandler(container.lifecycle?.preStop)
  setEnvironment(container.env)
}

const setItems = (items: readonly VolumeItem[] = []): void => {
  for (const { fieldRef } of items) if (fieldRef) fieldRef.apiVersion ||= 'v1'
}

const setProjected = ({ projected }: Volume): void => {
  if (!projected) return
  projected.defaultMode ??= FILE_MODE
  for (const { downwardAPI, serviceAccountToken } of projected.sources ?? []) {
    setItems(downwardAPI?.items)
    if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS
  }
}

const setVolume = (volume: Volume): void => {
  if (Object.keys(volume).every(key => key === 'name')) volume.emptyDir = {}
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI]) {
    if (source) source.defaultMode ??= FILE_MODE
  }
  setItems(volume.downwardAPI?.items)
  setProjected(volume)
  if (volume.hostPath) volume.hostPath.type ??= ''
  const { image, azureDisk } = volume as { image?: Record<string, string>; azureDisk?: Record<string, string> }
  if (image) image.pullPolicy ||= pullPolicy(image.reference)
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite'
    azureDisk.kind ??= 'Shared'
  }
}

/** On the node's own network a container's port is the node's. */
const setHostPorts = (containers: readonly Container[] = []): void => {
  for (const { ports = [] } of containers) {
    for (const port of ports) if (port.containerPort !== undefined) port.hostPort ||= port.containerPort
  }
}

/** The account has an older name, which clients may still read or write. */
const alignAccount = (spec: PodSpec): void => {
  const account = spec.serviceAccountName || spec.serviceAccount
  if (!account) return
  spec.serviceAccountName = account
  spec.serviceAccount = account
}

const setSpec = (spec: PodSpec): void => {
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  spec.securityContext ??= {}
  alignAccount(spec)
  for (const volume of spec.volumes ?? []) setVolume(volume)
  for (const container of [...runningContainers(spec), ...(spec.ephemeralContainers ?? [])]) setContainer(container)
}

/** What a Pod is given besides, and a template is not. */
const setPod = (spec: PodSpec): void => {
  spec.enableServiceLinks ??= true
  for (const { resources } of runningContainers(spec)) setRequests(resources)
  setRequests(spec.resources)
  if (!spec.hostNetwork) return
  setHostPorts(spec.containers)
  setHostPorts(spec.initContainers)
}

const runningContainers = ({ initContainers = [], containers = [] }: PodSpec): readonly Container[] => [
  ...initContainers,
  ...containers,
]

/** The address has an older name too, which counts where they differ: older kubelets know no other. */
const alignAddresses = (status: PodStatus): void => {
  const { podIP, podIPs = [] } = status
  const first = podIPs[0]?.ip
  if (podIP && podIP !== first) status.podIPs = [{ ip: podIP }]
  else if (first && !podIP) status.podIP = first
}

/** Of a PodTemplateSpec, whatever holds it. */
export const applyPodTemplateDefaults = (template: { spec?: PodSpec }): void => {
  template.spec ??= {}
  applySchemaDefaults(template, 'core/v1.PodTemplateSpec')
  setSpec(template.spec)
}

export const applyPodDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  applySchemaDefaults(object, 'core/v1.Pod')
  const { spec, status } = object as Pod
  setSpec(spec)
  setPod(spec)
  if (status) alignAddresses(status)
}
