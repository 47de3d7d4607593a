/**
 * A PersistentVolumeClaim that a Pod on a node mounts stays until the Pod is gone.
 *
 * Pods are listed once for all the claims of a namespace that go together; that those which held one are gone is told by
 * the metadata of what there is. Where nobody knows that, Pods are listed again, later each time.
 */
import type { ObjectMeta } from '#cluster/api/object.ts'
import { type ObjectKey, objectKey } from '#watcher/informer.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { CreateController } from '../controller.ts'
import { protect } from '../in-use-protection.ts'
import type { MetadataChange } from '../metadata-source.ts'
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

/** What says whether a Pod still holds anything. */
type State = Pick<ObjectMeta, 'uid' | 'deletionTimestamp' | 'deletionGracePeriodSeconds'>

/** A Pod's claims by their names. */
interface Holder {
  readonly name: string
  readonly state: State
  readonly claims: readonly string[]
  /** KEP-1698: those of ephemeral volumes are called after Pod and volume, and are the Pod's own. */
  readonly ephemeral: readonly string[]
}

/** Who held claims in a namespace, as of a revision. */
interface Look {
  readonly namespace: string
  readonly revision: bigint
  readonly holders: readonly Holder[]
}

/** No kubelet starts a Pod whose claim is being deleted: one without a node does not count. */
const holderOf = ({ metadata, spec: { nodeName, volumes = [] } = {} }: Pod): Holder[] => {
  const { name = '', uid = '', deletionTimestamp, deletionGracePeriodSeconds } = metadata as ObjectMeta
  const state = {
    uid,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
  }
  const claims = volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [])
  const ephemeral = volumes.flatMap(volume => (volume.ephemeral ? `${name}-${volume.name}` : []))
  return nodeName && claims.length + ephemeral.length > 0 ? [{ name, state, claims, ephemeral }] : []
}

/** Its kubelet is done with it; it may wait for its claims to go (foreground deletion), which then must not wait for it. */
const isShutDown = ({ deletionTimestamp, deletionGracePeriodSeconds }: State): boolean =>
  deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0

const isOwn = ({ metadata }: ApiObject, { state }: Holder): boolean =>
  (metadata.ownerReferences ?? []).some(owner => owner.controller && owner.uid === state.uid)

/** `now`: of the Pod that has the holder's name; undefined: there is none. */
const holds = (holder: Holder, claim: ApiObject, now: State | undefined): boolean => {
  const { name = '' } = claim.metadata
  if (now === undefined || now.uid !== holder.state.uid) return false
  return holder.claims.includes(name) || (holder.ephemeral.includes(name) && !isShutDown(now) && isOwn(claim, holder))
}

const PODS = { group: '', version: 'v1', resource: 'pods' } as const

export const volumeClaimProtectionController: CreateController = ({ metadata, ...environment }) => {
  const { client } = environment
  /** Claims that wait, by the Pods that hold them. */
  const waiting = new Map<ObjectKey, Set<ObjectKey>>()
  let last: Look | undefined

  const look = async (claim: ApiObject, signal: AbortSignal): Promise<Look> => {
    const { namespace = '', resourceVersion = '' } = claim.metadata
    if (last?.namespace === namespace && last.revision >= BigInt(resourceVersion)) return last
    const list = await client.list<Pod>(PODS, { namespace, signal })
    const revision = BigInt(list.metadata.resourceVersion ?? '')
    last = { namespace, revision, holders: list.items.flatMap(holderOf) }
    return last
  }

  const letGo = ({ resource, current, previous }: MetadataChange): readonly ObjectKey[] => {
    if (waiting.size === 0 || resource.resource !== PODS.resource || resource.group !== PODS.group) return []
    if (current && current.uid === previous?.uid && !isShutDown(current)) return []
    const { namespace, name = '' } = (current ?? previous)!
    const pod = objectKey(namespace, name)
    const claims = waiting.get(pod) ?? []
    waiting.delete(pod)
    return [...claims]
  }

  return protect(
    { metadata, ...environment },
    {
      name: 'volume-claim-protection',
      view: persistentVolumeClaims,
      finalizer: 'kubernetes.io/pvc-protection',
      watchUsers(wake) {
        metadata.subscribe(change => {
          for (const claim of letGo(change)) wake(claim)
        })
      },
      async use(claim, signal) {
        const { namespace = '', name = '' } = claim.metadata
        const { holders } = await look(claim, signal)
        const isKnown = metadata.kind('v1', 'Pod') !== undefined
        const stateOf = (holder: Holder) => (isKnown ? metadata.get(PODS, namespace, holder.name) : holder.state)
        const users = holders.filter(holder => holds(holder, claim, stateOf(holder)))
        if (users.length === 0) return 'free'
        if (!isKnown) {
          last = undefined
          return 'unclear'
        }
        for (const user of users) {
          const pod = objectKey(namespace, user.name)
          waiting.set(pod, (waiting.get(pod) ?? new Set()).add(objectKey(namespace, name)))
        }
        return 'used'
      },
    },
  )
}
