/**
 * Objects that stay, by a finalizer, as long as they are in use (Kubernetes: Storage Object in Use Protection). Admission
 * puts the finalizer on what is new; what was there before gets it here.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { isConflict, isNotFound } from '#watcher/api-status-error.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { View } from '#watcher/view.ts'
import type { Controller, ControllerEnvironment } from './controller.ts'
import type { ProtectedView } from './views.ts'

/** How long what is in use is left alone before it is looked at again. */
const AGAIN: Milliseconds = 2_000

export interface Protection<Object extends ApiObject> {
  readonly name: string
  readonly view: View<ProtectedView>
  readonly finalizer: string
  /** Of one that is being deleted, as it is now. */
  readonly isInUse: (object: Object, signal: AbortSignal) => Promise<boolean>
}

export const protect = <Object extends ApiObject>(
  { client, informer }: ControllerEnvironment,
  { name, view, finalizer, isInUse }: Protection<Object>,
): Controller => {
  const objects = informer(view)
  const { resource } = view
  return {
    name,
    watch(wake) {
      objects.subscribe(change => {
        if (change.type === 'deleted') return
        const { deleting, finalizers } = change.object
        if (deleting === finalizers.includes(finalizer)) wake(change.key)
      })
    },
    async reconcile(key, signal) {
      const known = objects.get(key)
      if (!known || known.deleting !== known.finalizers.includes(finalizer)) return 'settled'
      try {
        const object = await client.get<Object>(
          resource,
          known.namespace === '' ? { name: known.name } : { namespace: known.namespace, name: known.name },
          { signal },
        )
        const { finalizers = [], deletionTimestamp } = object.metadata
        const deleting = deletionTimestamp !== undefined
        if (deleting !== finalizers.includes(finalizer)) return 'settled'
        if (deleting && (await isInUse(object, signal))) return { again: AGAIN }
        const next = deleting ? finalizers.filter(other => other !== finalizer) : [...finalizers, finalizer]
        await client.update<Object>(
          resource,
          { ...object, metadata: { ...object.metadata, finalizers: next } },
          { signal },
        )
      } catch (error) {
        if (isConflict(error)) return 'unsettled'
        if (!isNotFound(error)) throw error
      }
      return 'settled'
    },
  }
}
