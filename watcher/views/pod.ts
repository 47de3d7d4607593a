import type { View } from '../view.ts'

/** What DNS needs of a Pod: whose address is it (`pods verified`, autopath, the query log). */
export interface PodView {
  readonly namespace: string
  readonly name: string
  /** status.podIPs (status.podIP first); empty unless the pod is live: Pending or Running, and not being deleted. */
  readonly addresses: readonly string[]
  readonly hostNetwork: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly resourceVersion: string
}

interface RawPod {
  readonly metadata: {
    readonly namespace?: string
    readonly name: string
    readonly resourceVersion?: string
    readonly deletionTimestamp?: string
    readonly labels?: Record<string, string>
  }
  readonly spec?: { readonly hostNetwork?: boolean }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip?: string }[]
  }
}

export const podView: View<PodView> = {
  resource: { group: '', version: 'v1', resource: 'pods' },
  strip(raw) {
    const { metadata, spec, status = {} } = raw as unknown as RawPod
    const live =
      metadata.deletionTimestamp === undefined && !['Succeeded', 'Failed', 'Unknown'].includes(status.phase ?? '')
    const addresses = new Set([status.podIP ?? '', ...(status.podIPs ?? []).map(({ ip = '' }) => ip)])
    addresses.delete('')
    return {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      addresses: live ? [...addresses] : [],
      hostNetwork: spec?.hostNetwork ?? false,
      labels: metadata.labels ?? {},
      resourceVersion: metadata.resourceVersion ?? '',
    }
  },
}
