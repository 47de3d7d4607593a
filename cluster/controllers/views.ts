/** What the controllers need of each kind. */

import type { LabelSelector } from '#cluster/api/label-selector.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { View } from '#watcher/view.ts'

interface RawMetadata {
  readonly namespace?: string
  readonly name: string
  readonly deletionTimestamp?: string
}

const metadataOf = (raw: Readonly<Record<string, unknown>>): RawMetadata => raw.metadata as RawMetadata

export interface LifecycleView {
  readonly namespace: string
  readonly name: string
  readonly deleting: boolean
}

const stripLifecycle = (raw: Readonly<Record<string, unknown>>): LifecycleView => {
  const { namespace = '', name, deletionTimestamp } = metadataOf(raw)
  return { namespace, name, deleting: deletionTimestamp !== undefined }
}

const core = { group: '', version: 'v1' } as const
const networking = { group: 'networking.k8s.io', version: 'v1' } as const

export const namespaces: View<LifecycleView> = { resource: { ...core, resource: 'namespaces' }, strip: stripLifecycle }

export const serviceAccounts: View<LifecycleView> = {
  resource: { ...core, resource: 'serviceaccounts' },
  strip: stripLifecycle,
}

export interface ProtectedView extends LifecycleView {
  readonly finalizers: readonly string[]
}

const stripProtected = (raw: Readonly<Record<string, unknown>>): ProtectedView => {
  const { finalizers = [] } = raw.metadata as { readonly finalizers?: readonly string[] }
  return { ...stripLifecycle(raw), finalizers: [...finalizers] }
}

export interface VolumeView extends ProtectedView {
  /** Names of the VolumeAttributesClasses that it has, wants or is on the way to. */
  readonly classes: readonly string[]
}

interface ClassNames {
  readonly volumeAttributesClassName?: string
  readonly currentVolumeAttributesClassName?: string
  readonly modifyVolumeStatus?: { readonly targetVolumeAttributesClassName?: string }
}

const stripVolume = (raw: Readonly<Record<string, unknown>>): VolumeView => {
  const { volumeAttributesClassName } = (raw.spec ?? {}) as ClassNames
  const { currentVolumeAttributesClassName, modifyVolumeStatus } = (raw.status ?? {}) as ClassNames
  const target = modifyVolumeStatus?.targetVolumeAttributesClassName
  const classes = [volumeAttributesClassName, currentVolumeAttributesClassName, target].filter(name => name)
  return { ...stripProtected(raw), classes: [...new Set(classes as string[])] }
}

export const persistentVolumes: View<VolumeView> = {
  resource: { ...core, resource: 'persistentvolumes' },
  strip: stripVolume,
}

export const persistentVolumeClaims: View<VolumeView> = {
  resource: { ...core, resource: 'persistentvolumeclaims' },
  strip: stripVolume,
}

export const volumeAttributesClasses: View<ProtectedView> = {
  resource: { group: 'storage.k8s.io', version: 'v1', resource: 'volumeattributesclasses' },
  strip: stripProtected,
}

export interface ConfigMapView extends LifecycleView {
  /** Of `kube-root-ca.crt` alone; what others hold is not kept. */
  readonly authority: string | undefined
}

export const ROOT_CA = 'kube-root-ca.crt'
/** The key within the ConfigMap. */
export const ROOT_CA_KEY = 'ca.crt'

export const configMaps: View<ConfigMapView> = {
  resource: { ...core, resource: 'configmaps' },
  strip(raw) {
    const data = raw.data as Record<string, string> | undefined
    const view = stripLifecycle(raw)
    return { ...view, authority: view.name === ROOT_CA ? data?.[ROOT_CA_KEY] : undefined }
  },
}

/** A request for a certificate is written back whole: all of it is kept. */
export type CertificateRequest = ApiObject

export const certificateRequests: View<CertificateRequest> = {
  resource: { group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests' },
  strip: raw => structuredClone(raw) as unknown as ApiObject,
}

export interface ServiceCidrView {
  readonly name: string
  readonly cidrs: readonly string[]
  readonly deleting: boolean
}

export const serviceCidrs: View<ServiceCidrView> = {
  resource: { ...networking, resource: 'servicecidrs' },
  strip(raw) {
    const { name, deleting } = stripLifecycle(raw)
    return { name, deleting, cidrs: (raw.spec as { cidrs?: string[] } | undefined)?.cidrs ?? [] }
  },
}

export const ipAddresses: View<{ readonly name: string }> = {
  resource: { ...networking, resource: 'ipaddresses' },
  strip: raw => ({ name: metadataOf(raw).name }),
}

export interface ClusterRoleView {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly rules: readonly unknown[]
  /** Whose rules it gathers; undefined: it has its own. */
  readonly selectors: readonly LabelSelector[] | undefined
}

export const clusterRoles: View<ClusterRoleView> = {
  resource: { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' },
  strip(raw) {
    const { name, labels = {} } = raw.metadata as { name: string; labels?: Record<string, string> }
    const { clusterRoleSelectors } = (raw.aggregationRule ?? {}) as { clusterRoleSelectors?: LabelSelector[] }
    return {
      name,
      labels: structuredClone(labels),
      rules: structuredClone((raw.rules ?? []) as unknown[]),
      selectors: structuredClone(clusterRoleSelectors),
    }
  },
}
