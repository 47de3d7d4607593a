/**
 * The contract of the forms in which objects go out: as they are, as metadata only, or as rows of a table. A watcher's
 * frames are made once per change and form, whoever asks for them.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import type { ObjectList } from '../verbs/list.ts'
import type { Representation } from '../verbs/request.ts'
import type { Segments } from './segments.ts'

export interface Form {
  /** Equal for equal output. Undefined when frames differ from watcher to watcher. */
  readonly id: string
  object(kind: Kind, representation: Representation): Buffer
  list(kind: Kind, list: ObjectList): Buffer | Segments
  /** The `object` of a watch event. `first`: nothing was sent on the stream yet. */
  watched(stored: StoredObject, first: boolean): Buffer
  /** Whether the first frame of a stream differs from the rest. */
  readonly firstDiffers: boolean
  /** The `object` of a BOOKMARK event. `first`: as above. */
  bookmark(kind: Kind, metadata: BookmarkMetadata, first: boolean): Buffer
  /** An event on a stream, with what ends it or says where it ends. */
  frame(type: string, object: Buffer): Buffer
}

export interface BookmarkMetadata {
  readonly resourceVersion: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** metav1.ListMeta. */
export const listMetadata = (list: ObjectList): Record<string, unknown> => ({
  resourceVersion: list.resourceVersion,
  ...(list.continue ? { continue: list.continue } : {}),
  ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
})
