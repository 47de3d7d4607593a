import type { View } from '../view.ts'

export interface NamespaceView {
  readonly name: string
  /** Of `kube-system`, where it tells one cluster from another; `''` of all others. */
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
  readonly resourceVersion: string
}

interface RawNamespace {
  readonly metadata: {
    readonly name: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Record<string, string>
  }
}

/** It exists in every cluster and is never made anew. */
export const IDENTITY_NAMESPACE = 'kube-system'

export const namespaceView: View<NamespaceView> = {
  resource: { group: '', version: 'v1', resource: 'namespaces' },
  strip(raw) {
    const { name, uid = '', labels = {}, resourceVersion = '' } = (raw as unknown as RawNamespace).metadata
    return { name, uid: name === IDENTITY_NAMESPACE ? uid : '', labels, resourceVersion }
  },
}
