/** The part of every API object that clients rely on. Kinds add their own fields. */
export interface ObjectMeta {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

export interface ApiObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
}

export interface ListMeta {
  readonly resourceVersion?: string
  /** Present while there are further pages. */
  readonly continue?: string
  readonly remainingItemCount?: number
}

export interface ApiList<Item> {
  readonly metadata: ListMeta
  readonly items: readonly Item[]
}

/** Which object of a resource. */
export interface ObjectName {
  readonly namespace?: string
  readonly name: string
}
