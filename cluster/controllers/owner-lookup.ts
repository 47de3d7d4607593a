/**
 * Asks the apiserver for an owner: before anything is deleted for want of it, its end has been seen, or its absence is
 * what the API itself says now. What was absent once stays so (uids are not given twice) and is remembered, as by
 * kube-controller-manager.
 */
import { LRUCache } from 'lru-cache'
import { apiVersionOf, type ObjectMeta, type OwnerReference } from '#cluster/api/object.ts'
import { ApiStatusError, isNotFound } from '#watcher/api-status-error.ts'
import type { RestClient } from '#watcher/client.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { MetadataChange, MetadataSource, ServedKind } from './metadata-source.ts'

/**
 * `absent`: no such owner, for a dependent of that namespace. `impossible`: what lies in no namespace names an owner of
 * a kind that lies in one, and no namespace to look in. `unknown`: nobody serves such a kind.
 */
export type Owner = ObjectMeta | 'absent' | 'impossible' | 'unknown'

/** Owners; kube-controller-manager's absentOwnerCache has as many. */
const REMEMBERED = 500

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
}

/** `VERSION` or `GROUP/VERSION`; clients write what they like. */
const API_VERSION =
  /^(?:(?<group>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)\/)?(?<version>[a-z0-9]+)$/

/** A kind that the apiserver itself does not serve: an extension server may. */
const discoverKind = async (
  client: RestClient,
  { apiVersion, kind }: OwnerReference,
  signal: AbortSignal,
): Promise<ServedKind | undefined> => {
  const { group = '', version = '' } = API_VERSION.exec(apiVersion)?.groups ?? {}
  if (version === '') return undefined
  try {
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const { resources = [] } = JSON.parse(await client.raw(path, { signal })) as ResourceList
    const found = resources.find(({ kind: other, name }) => other === kind && !name.includes('/'))
    return found && { resource: { group, version, resource: found.name }, namespaced: found.namespaced }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

type Coordinates = Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid'>

/** `namespace`: of the owner, if it lies in one. */
const keyOf = ({ apiVersion, kind, name, uid }: Coordinates, namespace = ''): string =>
  [uid, apiVersion, kind, name, namespace].join(' ')

export class OwnerLookup {
  readonly #client: RestClient
  readonly #metadata: MetadataSource
  readonly #absent = new LRUCache<string, true>({ max: REMEMBERED })

  constructor(client: RestClient, metadata: MetadataSource) {
    this.#client = client
    this.#metadata = metadata
  }

  /** `namespace`: the dependent's, which is that of an owner in a namespace. @throws ApiStatusError, SeamarkError */
  async find(owner: OwnerReference, namespace: string | undefined, signal: AbortSignal): Promise<Owner> {
    const { apiVersion, kind, name, uid } = owner
    if (this.#absent.has(keyOf(owner)) || this.#absent.has(keyOf(owner, namespace))) return 'absent'
    const served = this.#metadata.kind(apiVersion, kind) ?? (await discoverKind(this.#client, owner, signal))
    if (!served) return 'unknown'
    if (served.namespaced && namespace === undefined) return 'impossible'
    const place = { name, ...(served.namespaced && namespace !== undefined ? { namespace } : {}) }
    const metadata = await this.#get(served, place, signal)
    if (metadata === 'unknown') return 'unknown'
    // Another object may have taken the name.
    if (metadata?.uid === uid) return metadata
    this.#absent.set(keyOf(owner, place.namespace), true)
    return 'absent'
  }

  /** An object's end was seen. */
  gone(resource: MetadataChange['resource'], { uid = '', namespace, name = '' }: ObjectMeta): void {
    const coordinates = { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid }
    this.#absent.set(keyOf(coordinates, namespace), true)
  }

  async #get({ resource }: ServedKind, place: { namespace?: string; name: string }, signal: AbortSignal) {
    try {
      return (await this.#client.get<ApiObject>(resource, place, { signal })).metadata as ObjectMeta
    } catch (error) {
      if (!(error instanceof ApiStatusError) || !error.isNotFound) throw error
      // A kind that is served no more has no details: that says nothing about the owner.
      return error.details.name === place.name ? undefined : 'unknown'
    }
  }
}
