/** A PersistentVolumeClaim that a Pod on a node mounts stays until the Pod is gone. */
import type { ApiObject } from '#watcher/object.ts'
import type { CreateController } from '../controller.ts'
import { protect } from '../in-use-protection.ts'
import { persistentVolumeClaims } from '../views.ts'

interface Pod extends ApiObject {
  readonly spec?: {
    readonly nodeName?: string
    readonly volumes?: readonly {
      readonly name: string
      readonly persistentVolumeClaim?: { readonly claimName: string }
      readonly ephemeral?: object
    }[]
  }
}

/** No kubelet starts a Pod whose claim is being deleted: one without a node does not count. */
const mounts = ({ metadata, spec = {} }: Pod, claim: string): boolean =>
  (spec.nodeName ?? '') !== '' &&
  (spec.volumes ?? []).some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      // KEP-1698: the claim of an ephemeral volume is called after Pod and volume.
      persistentVolumeClaim?.claimName === claim || (ephemeral && `${metadata.name}-${name}` === claim),
  )

const PODS = { group: '', version: 'v1', resource: 'pods' } as const

export const volumeClaimProtectionController: CreateController = environment =>
  protect(environment, {
    name: 'volume-claim-protection',
    view: persistentVolumeClaims,
    finalizer: 'kubernetes.io/pvc-protection',
    async isInUse({ metadata }, signal) {
      const { namespace = '', name = '' } = metadata
      const { items } = await environment.client.list<Pod>(PODS, { namespace, signal })
      return items.some(pod => mounts(pod, name))
    },
  })
