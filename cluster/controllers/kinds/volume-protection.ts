/** A PersistentVolume that belongs to a claim stays until that has let go of it. */
import type { ApiObject } from '#watcher/object.ts'
import type { CreateController } from '../controller.ts'
import { protect } from '../in-use-protection.ts'
import { persistentVolumes } from '../views.ts'

interface Volume extends ApiObject {
  readonly status?: { readonly phase?: string }
}

export const volumeProtectionController: CreateController = environment =>
  protect<Volume>(environment, {
    name: 'volume-protection',
    view: persistentVolumes,
    finalizer: 'kubernetes.io/pv-protection',
    use: ({ status }) => (status?.phase === 'Bound' ? 'used' : 'free'),
  })
