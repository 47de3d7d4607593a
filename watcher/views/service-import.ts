import { portsOf, type ServicePortView } from '../service-port.ts'
import type { View } from '../view.ts'

/** A service of the cluster set (KEP-1645). */
export interface ServiceImportView {
  readonly namespace: string
  readonly name: string
  readonly headless: boolean
  readonly ips: readonly string[]
  readonly ports: readonly ServicePortView[]
  readonly resourceVersion: string
}

interface RawServiceImport {
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly resourceVersion?: string }
  readonly spec?: {
    readonly type?: string
    readonly ips?: readonly string[]
    readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly port: number }[]
  }
}

export const serviceImportView: View<ServiceImportView> = {
  resource: { group: 'multicluster.x-k8s.io', version: 'v1alpha1', resource: 'serviceimports' },
  strip(raw) {
    const { metadata, spec = {} } = raw as unknown as RawServiceImport
    return {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      headless: spec.type === 'Headless',
      ips: spec.ips ?? [],
      ports: portsOf(spec.ports),
      resourceVersion: metadata.resourceVersion ?? '',
    }
  },
}
