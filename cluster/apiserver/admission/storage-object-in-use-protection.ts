/** Volumes and claims are not taken away from those who use them: a finalizer that a controller takes off in time. */
import type { AdmissionPlugin } from '../admission.ts'

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumes: 'kubernetes.io/pv-protection',
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit({ verb, kind, subresource, object: { metadata } }) {
    if (verb !== 'create' || subresource !== '' || kind.group !== '' || !Object.hasOwn(FINALIZERS, kind.resource))
      return undefined
    const finalizer = FINALIZERS[kind.resource]!
    const { finalizers = [] } = metadata
    if (!finalizers.includes(finalizer)) metadata.finalizers = [...finalizers, finalizer]
    return undefined
  },
}
