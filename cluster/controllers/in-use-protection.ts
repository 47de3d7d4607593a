/**
 * Objects that stay, by a finalizer, as long as they are in use (Kubernetes: Storage Object in Use Protection). Admission
 * puts the finalizer on what is new; what was there before gets it here.
 */
import { isConflict, isNotFound } from '#watcher/api-status-error.ts'
import type { ObjectKey } from '#watcher/informer.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { View } from '#watcher/view.ts'
import type { Controller, ControllerEnvironment, Verdict } from './controller.ts'
import type { ProtectedView } from './views.ts'

export interface Protection<Object extends ApiObject> {
  readonly name: string
  readonly view: View<ProtectedView>
  readonly finalizer: string
  /** Tells `wake` what others may have let go of; without it, an object's own changes tell. */
  readonly watchUsers?: (wake: (key: ObjectKey) => void) => void
  /** Of one that is being deleted, as it is now. */
  readonly use: (object: Object, signal: AbortSignal) => Promise<Use> | Use
}

/** `used`: the end of it will wake the object. `unclear`: it is to be looked at again soon. */
export type Use = 'free' | 'used' | 'unclear'

export const protect = <Object extends ApiObject>(
  { client, informer }: ControllerEnvironment,
  { name, view, finalizer, watchUsers, use }: Protection<Object>,
): Controller => {
  const objects = informer(view)
  const { resource } = view
  /** It is being deleted and has the finalizer, or neither. */
  const isDue = ({ deleting, finalizers }: Pick<ProtectedView, 'deleting' | 'finalizers'>): boolean =>
    deleting === finalizers.includes(finalizer)
  const mend = async (object: Object, signal: AbortSignal): Promise<Verdict> => {
    const { finalizers = [], deletionTimestamp } = object.metadata
    const deleting = deletionTimestamp !== undefined
    if (!isDue({ deleting, finalizers })) return 'settled'
    const found = deleting ? await use(object, signal) : 'free'
    if (found !== 'free') return found === 'used' ? 'settled' : 'unsettled'
    const next = deleting ? finalizers.filter(other => other !== finalizer) : [...finalizers, finalizer]
    const metadata = { ...object.metadata, finalizers: next }
    await client.update<Object>(resource, { ...object, metadata }, { signal })
    return 'settled'
  }

  return {
    name,
    watch(wake) {
      objects.subscribe(change => {
        if (change.type !== 'deleted' && isDue(change.object)) wake(change.key)
      })
      watchUsers?.(wake)
    },
    async reconcile(key, signal) {
      const known = objects.get(key)
      if (!known || !isDue(known)) return 'settled'
      const { namespace, name } = known
      const place = namespace === '' ? { name } : { namespace, name }
      try {
        return await mend(await client.get<Object>(resource, place, { signal }), signal)
      } catch (error) {
        if (isConflict(error)) return 'unsettled'
        if (!isNotFound(error)) throw error
        return 'settled'
      }
    },
  }
}
