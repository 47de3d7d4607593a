/** Volumes, claims and classes of their attributes are not taken away from those who use them: a finalizer that a controller takes off in time. */
import type { AdmissionPlugin } from '../admission.ts'

const FINALIZERS: Readonly<Record<string, string>> = {
  '/persistentvolumes': 'kubernetes.io/pv-protection',
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection',
  'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit({ verb, kind, subresource, object: { metadata } }) {
    const finalizer = FINALIZERS[`${kind.group}/${kind.resource}`]
    if (verb !== 'create' || subresource !== '' || finalizer === undefined) return undefined
    const { finalizers = [] } = metadata
    if (!finalizers.includes(finalizer)) metadata.finalizers = [...finalizers, finalizer]
    return undefined
  },
}
