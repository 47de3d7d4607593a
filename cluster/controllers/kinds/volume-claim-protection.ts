/** A PersistentVolumeClaim that a Pod on a node mounts stays until the Pod is gone. */
import type { ApiObject, ObjectMeta } from '#watcher/object.ts'
import type { CreateController } from '../controller.ts'
import { protect } from '../in-use-protection.ts'
import { persistentVolumeClaims } from '../views.ts'

interface Pod extends ApiObject {
  readonly metadata: ObjectMeta & { readonly deletionGracePeriodSeconds?: number }
  readonly spec?: {
    readonly nodeName?: string
    readonly volumes?: readonly {
      readonly name: string
      readonly persistentVolumeClaim?: { readonly claimName: string }
      readonly ephemeral?: object
    }[]
  }
}

/** Its kubelet is done with it; it may wait for its claims to go (foreground deletion), which then must not wait for it. */
const isShutDown = ({ metadata }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0

/** KEP-1698: the claim of an ephemeral volume is called after Pod and volume, and is the Pod's own. */
const isEphemeral = (claim: ApiObject, pod: Pod, volume: string): boolean =>
  claim.metadata.name === `${pod.metadata.name}-${volume}` &&
  (claim.metadata.ownerReferences ?? []).some(({ controller, uid }) => controller && uid === pod.metadata.uid)

/** No kubelet starts a Pod whose claim is being deleted: one without a node does not count. */
const mounts = (pod: Pod, claim: ApiObject): boolean =>
  (pod.spec?.nodeName ?? '') !== '' &&
  (pod.spec?.volumes ?? []).some(
    ({ name, persistentVolumeClaim, ephemeral }) =>
      persistentVolumeClaim?.claimName === claim.metadata.name ||
      (ephemeral && !isShutDown(pod) && isEphemeral(claim, pod, name)),
  )

const PODS = { group: '', version: 'v1', resource: 'pods' } as const

export const volumeClaimProtectionController: CreateController = environment =>
  protect(environment, {
    name: 'volume-claim-protection',
    view: persistentVolumeClaims,
    finalizer: 'kubernetes.io/pvc-protection',
    async isInUse(claim, signal) {
      const { namespace = '' } = claim.metadata
      const { items } = await environment.client.list<Pod>(PODS, { namespace, signal })
      return items.some(pod => mounts(pod, claim))
    },
  })
