/** A Pod as TypeScript sees it: the fields that defaults, rules and columns look at. */
import type { LabelSelector } from '../label-selector.ts'
import type { ApiObject } from '../object.ts'

export interface ContainerPort {
  name?: string
  containerPort?: number
  hostPort?: number
  hostIP?: string
  protocol?: string
}

export interface ProbeHandler {
  exec?: { command?: string[] }
  httpGet?: {
    path?: string
    port?: number | string
    scheme?: string
    host?: string
    httpHeaders?: { name?: string; value?: string }[]
  }
  tcpSocket?: { port?: number | string; host?: string }
  grpc?: { port?: number; service?: string }
  sleep?: { seconds?: number }
}

export interface Probe extends ProbeHandler {
  initialDelaySeconds?: number
  timeoutSeconds?: number
  periodSeconds?: number
  successThreshold?: number
  failureThreshold?: number
  terminationGracePeriodSeconds?: number
}

export interface FieldReference {
  apiVersion?: string
  fieldPath?: string
}

export interface EnvironmentVariable {
  name?: string
  value?: string
  valueFrom?: {
    fieldRef?: FieldReference
    resourceFieldRef?: { containerName?: string; resource?: string; divisor?: string }
    configMapKeyRef?: { name?: string; key?: string }
    secretKeyRef?: { name?: string; key?: string }
    fileKeyRef?: { volumeName?: string; path?: string; key?: string }
  }
}

export interface ResourceRequirements {
  limits?: Record<string, string>
  requests?: Record<string, string>
}

export interface Container {
  name?: string
  image?: string
  ports?: ContainerPort[]
  env?: EnvironmentVariable[]
  envFrom?: { prefix?: string; configMapRef?: { name?: string }; secretRef?: { name?: string } }[]
  resources?: ResourceRequirements
  restartPolicy?: string
  volumeMounts?: { name?: string; mountPath?: string; subPath?: string; subPathExpr?: string }[]
  volumeDevices?: { name?: string; devicePath?: string }[]
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: { postStart?: ProbeHandler; preStop?: ProbeHandler }
  terminationMessagePath?: string
  terminationMessagePolicy?: string
  imagePullPolicy?: string
  securityContext?: {
    privileged?: boolean
    allowPrivilegeEscalation?: boolean
    procMount?: string
    seccompProfile?: unknown
    appArmorProfile?: unknown
  }
  targetContainerName?: string
}

export interface VolumeItem {
  key?: string
  path?: string
  mode?: number
  fieldRef?: FieldReference
}

export interface VolumeProjection {
  secret?: { name?: string; items?: VolumeItem[] }
  configMap?: { name?: string; items?: VolumeItem[] }
  downwardAPI?: { items?: VolumeItem[] }
  serviceAccountToken?: { expirationSeconds?: number; path?: string }
  clusterTrustBundle?: { name?: string; signerName?: string; path?: string }
  podCertificate?: { certificateChainPath?: string; keyPath?: string; credentialBundlePath?: string }
}

export interface Volume {
  name?: string
  secret?: { secretName?: string; defaultMode?: number; items?: VolumeItem[] }
  configMap?: { name?: string; defaultMode?: number; items?: VolumeItem[] }
  downwardAPI?: { defaultMode?: number; items?: VolumeItem[] }
  projected?: { defaultMode?: number; sources?: VolumeProjection[] }
  hostPath?: { path?: string; type?: string }
  emptyDir?: { medium?: string; sizeLimit?: string }
  [source: string]: unknown
}

export interface Toleration {
  key?: string
  operator?: string
  value?: string
  effect?: string
  tolerationSeconds?: number
}

export interface NodeSelectorTerm {
  matchExpressions?: { key?: string; values?: string[] }[]
}

export interface PodAffinityTerm {
  labelSelector?: LabelSelector
}

/** Of Pods to Pods, or against them. */
export interface PodAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: PodAffinityTerm[]
  preferredDuringSchedulingIgnoredDuringExecution?: { podAffinityTerm?: PodAffinityTerm }[]
}

export interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: NodeSelectorTerm[] }
    preferredDuringSchedulingIgnoredDuringExecution?: { preference?: NodeSelectorTerm }[]
  }
  podAffinity?: PodAffinity
  podAntiAffinity?: PodAffinity
}

export interface PodSpec {
  volumes?: Volume[]
  initContainers?: Container[]
  containers?: Container[]
  ephemeralContainers?: Container[]
  restartPolicy?: string
  terminationGracePeriodSeconds?: number
  activeDeadlineSeconds?: number
  dnsPolicy?: string
  dnsConfig?: {
    nameservers?: string[]
    searches?: string[]
    options?: { name?: string; value?: string }[]
  }
  nodeSelector?: Record<string, string>
  nodeName?: string
  serviceAccountName?: string
  serviceAccount?: string
  hostNetwork?: boolean
  hostPID?: boolean
  shareProcessNamespace?: boolean
  securityContext?: Record<string, unknown>
  imagePullSecrets?: { name?: string }[]
  hostname?: string
  subdomain?: string
  hostnameOverride?: string
  setHostnameAsFQDN?: boolean
  schedulerName?: string
  tolerations?: Toleration[]
  hostAliases?: { ip?: string; hostnames?: string[] }[]
  readinessGates?: { conditionType?: string }[]
  schedulingGates?: { name?: string }[]
  enableServiceLinks?: boolean
  topologySpreadConstraints?: {
    maxSkew?: number
    topologyKey?: string
    whenUnsatisfiable?: string
    nodeAffinityPolicy?: string
    nodeTaintsPolicy?: string
    labelSelector?: LabelSelector
  }[]
  affinity?: Affinity
  overhead?: Record<string, string>
  resources?: ResourceRequirements
  [field: string]: unknown
}

export interface ContainerState {
  waiting?: { reason?: string }
  running?: { startedAt?: string }
  terminated?: { exitCode?: number; signal?: number; reason?: string; finishedAt?: string | null }
}

export interface ContainerStatus {
  name?: string
  ready?: boolean
  started?: boolean
  restartCount?: number
  state?: ContainerState
  lastState?: ContainerState
}

export interface PodStatus {
  phase?: string
  reason?: string
  conditions?: { type?: string; status?: string; reason?: string }[]
  podIP?: string
  podIPs?: { ip?: string }[]
  nominatedNodeName?: string
  qosClass?: string
  initContainerStatuses?: ContainerStatus[]
  containerStatuses?: ContainerStatus[]
  [field: string]: unknown
}

export interface Pod extends ApiObject {
  spec: PodSpec
  status?: PodStatus
}
