import type { View } from '../view.ts'

export interface NamespaceView {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly resourceVersion: string
}

interface RawNamespace {
  readonly metadata: {
    readonly name: string
    readonly resourceVersion?: string
    readonly labels?: Record<string, string>
  }
}

export const namespaceView: View<NamespaceView> = {
  resource: { group: '', version: 'v1', resource: 'namespaces' },
  strip(raw) {
    const { metadata } = raw as unknown as RawNamespace
    return { name: metadata.name, labels: metadata.labels ?? {}, resourceVersion: metadata.resourceVersion ?? '' }
  },
}
