/**
 * What makes a kind: data plus a strategy. Each kind is one file in `kinds/`, which `kinds/index.ts` lists: that alone
 * serves it, by all verbs. What needs other objects than its own (a Service's addresses, quotas) is the apiserver's.
 *
 * The apiserver calls, for a create: decode strictly → `applyDefaults`, so that owners of fields and admission see what
 * will be → admission plugins that change it → `prepareForCreate` → `applyDefaults` → structural validation by types.json,
 * `validate` and `validateCreate` → admission plugins that judge it → plan (allocation) → write. For an update: the same
 * with `prepareForUpdate(next, current)` and `validateUpdate(next, current)`.
 */

import type { Result } from '#lib/result.ts'
import type { SchemaProps } from './custom/schema.ts'
import type { FieldError } from './field-error.ts'
import type { ApiObject } from './object.ts'
import type { Status } from './status.ts'

export interface Column {
  readonly name: string
  /** OpenAPI type: `string`, `integer`, `date`. */
  readonly type: string
  /** OpenAPI format, `''` or `name`. */
  readonly format: string
  readonly description: string
  /** 0: always shown; above: with `-o wide`. */
  readonly priority: number
  /** `now`: milliseconds since the epoch, for ages. Null: nothing to show. */
  readonly value: (object: ApiObject, now: number) => string | number | boolean | null
}

/** Makes versions of each other that only somebody outside can convert (a conversion webhook). */
export interface Converter {
  /** `GROUP/VERSION` that is written. */
  readonly storedAs: string
  /** The same in another version: new objects, in their order. Refused: all of them, when one cannot be converted. */
  readonly convert: (objects: readonly ApiObject[], apiVersion: string) => Promise<Result<readonly ApiObject[], Status>>
}

/** Both functions return a new object; each undoes the other. */
export interface StoredAs {
  readonly group: string
  readonly resource: string
  readonly toStored: (object: ApiObject) => ApiObject
  readonly fromStored: (object: ApiObject) => ApiObject
  /**
   * Present: the functions above leave an object as it is, so that memory has objects in whatever version they were
   * written, and who reads or writes them converts them.
   */
  readonly converter?: Converter
}

/** What `/scale` (autoscaling/v1 Scale) shows of an object, and changes. */
export interface ScalePart {
  readonly wanted: (object: ApiObject) => number
  readonly observed: (object: ApiObject) => number
  /** As the `labelSelector` parameter has it. */
  readonly selector: (object: ApiObject) => string
  /** In place. */
  readonly want: (object: ApiObject, replicas: number) => void
}

/** A subresource that is written as the object is, and changes a part of it (`approval`, `resize`). */
export interface Part {
  readonly verbs: readonly ('get' | 'patch' | 'update')[]
  /** What such a write leaves as it is, `metadata` and what lies below it: nobody owns that by it. */
  readonly resets: readonly string[]
  /** Nobody owns what it writes, and it counts as no generation: the scheduler only says where the object is. */
  readonly unrecorded?: true
  /** Puts into `merged`, which is as the object is now, what of `next` goes in this way. `now`: RFC 3339. */
  readonly merge: (merged: ApiObject, next: ApiObject, now: string) => void
  readonly validate: (next: ApiObject, current: ApiObject) => readonly FieldError[]
}

/** Who makes an object, for kinds that write it down. */
export interface Requester {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export interface Kind {
  /** `''` for core. */
  readonly group: string
  readonly version: string
  readonly kind: string
  /** What a list of them is called. Default: the kind and `List`. */
  readonly listKind?: string
  /** Whether items of a list say what they are, as those of custom resources do. Default: the list says it. */
  readonly namesItems?: boolean
  /** Plural, lower case: `services`. */
  readonly resource: string
  readonly singular: string
  readonly shortNames: readonly string[]
  /** `all` for `kubectl get all`. */
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** Name in types.json: `core/v1.Service`. */
  readonly type: string
  /** Whether `/status` exists: then a write to the object keeps its status, and a write to `/status` all but it. */
  readonly hasStatus: boolean
  /**
   * Whether `metadata.generation` counts changes of everything but metadata and status (Kubernetes does not for all:
   * Service and ConfigMap have none).
   */
  readonly countsGenerations: boolean
  /** For a kind that is another name for another kind's stored objects (events in two groups). */
  readonly storage?: StoredAs
  /** What `metadata.name` may be. Default: a DNS subdomain (RFC 1123, 253 bytes). */
  readonly validateName?: (name: string) => readonly string[]
  /** Whether a finalizer may have any name. Default: a domain stands before it, but for Kubernetes's own. */
  readonly takesAnyFinalizer?: boolean
  /** What a write to `/status` changes besides. In place. `now`: RFC 3339, whole seconds. */
  readonly prepareForStatusUpdate?: (next: ApiObject, current: ApiObject, now: string) => void
  /** Fills what an absent field means. Changes `object` in place; idempotent. */
  readonly applyDefaults?: (object: ApiObject) => void
  /** Clears what a client may not set on create. In place. `requester`: absent where the apiserver itself writes. */
  readonly prepareForCreate?: (object: ApiObject, requester?: Requester) => void
  /** Carries over from `current` what a client may not change. In place. */
  readonly prepareForUpdate?: (next: ApiObject, current: ApiObject) => void
  /**
   * The rules that types.json does not state. `object` has the right structure by now. `current`: what it is, in an
   * update, for kinds that forgive what does not change.
   */
  readonly validate?: (object: ApiObject, current?: ApiObject) => readonly FieldError[]
  /** What is asked of new objects alone, besides `validate`. */
  readonly validateCreate?: (object: ApiObject) => readonly FieldError[]
  /** Immutable fields and the like, besides `validate`. */
  readonly validateUpdate?: (next: ApiObject, current: ApiObject) => readonly FieldError[]
  readonly validateStatusUpdate?: (next: ApiObject, current: ApiObject) => readonly FieldError[]
  /** What a write to `/status` leaves as it is besides spec (`metadata.ownerReferences`): nobody owns it by that. */
  readonly statusResets?: readonly string[]
  /** A write to `/status` changes no metadata, yet owns what it sends of it. (Custom resources, ServiceCIDRs.) */
  readonly statusKeepsMetadata?: boolean
  /** Told to whoever asks for this version: it is deprecated. */
  readonly deprecation?: string
  /** Warnings for the client (`Warning: 299 - "…"`), such as deprecations. `current`: what an update changes. */
  readonly warnings?: (object: ApiObject, current?: ApiObject) => readonly string[]
  /** Whether deletion waits: the grace in seconds for this object, 0 for at once. (Pods.) */
  readonly gracePeriodSeconds?: (object: ApiObject, requested: number | undefined) => number
  /**
   * What belongs to an object stays when its deletion does not say otherwise (Kubernetes: OrphanDependents, kept for old
   * clients). `warning`: told to whoever did not. Default: it goes as well.
   */
  readonly orphansByDefault?: { readonly warning?: string }
  /** Objects go by themselves so long after their last write. Default: never. */
  readonly lifetimeSeconds?: number
  /** Whether no new objects are taken any more, because the kind itself goes. */
  readonly isClosed?: () => boolean
  /** OpenAPI v3 of the kind, where types.json has none: of a custom resource, as its author wrote it. */
  readonly schema?: SchemaProps
  /** PUT of an object that does not exist makes it. Default: 404. */
  readonly createOnUpdate?: boolean
  /** `false`: an update without a resourceVersion is refused. Default: it is taken whatever the object is by now. */
  readonly unconditionalUpdate?: boolean
  /** A delete that took effect at once answers with the object. Default: with a Status. */
  readonly deleteReturnsObject?: boolean
  /** Whether something besides metadata.finalizers keeps a deleted object (a Namespace's spec.finalizers). */
  readonly isHeld?: (object: ApiObject) => boolean
  /** Whether a deletion that must wait leaves a time and nothing else: no grace, no generation. */
  readonly marksDeletionByTime?: boolean
  /** What a deletion that must wait changes besides metadata (a Namespace's phase). In place. */
  readonly prepareForDelete?: (object: ApiObject) => void
  /** Whether `/finalize` exists: a PUT there changes spec.finalizers and nothing else. */
  readonly hasFinalize?: boolean
  /** Subresources of its own that change a part of the object, by name. */
  readonly parts?: Readonly<Record<string, Part>>
  /** Whether `/scale` exists, and what it reads and writes. */
  readonly scale?: ScalePart
  /** All that it is served with. Default: every verb on stored objects. A kind with `create` alone is not stored. */
  readonly verbs?: readonly string[]
  /** Subresources that take another kind by POST (`token`: a TokenRequest). */
  readonly posts?: Readonly<Record<string, Kind>>
  /** Field selector keys besides metadata.name and metadata.namespace, with this object's values. */
  readonly selectableFields?: (object: ApiObject) => Readonly<Record<string, string>>
  /** Keys that `selectableFields` may give, for the error about an unknown one. */
  readonly selectableFieldNames?: readonly string[]
  /**
   * What kubectl shows; AGE included where it is shown. NAME comes first unless a column called `Name` says where it
   * stands.
   */
  readonly columns: readonly Column[]
}
