/**
 * Writes that need other objects: a Service takes addresses as IPAddress objects in its own transaction. A planner
 * looks at the object about to be written and adds to the transaction; each is one file in `planners/`.
 *
 * When the transaction fails because something it compared has changed meanwhile, the whole write is tried again from
 * the object's newest state, planner included; so a planner keeps no state of its own between calls.
 */

import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import type { Random } from '#lib/random.ts'
import type { Result } from '#lib/result.ts'

export interface PlanContext {
  readonly verb: 'create' | 'update' | 'delete'
  /** The object as it will be written; the planner may change it. For a delete: the object that goes. */
  readonly object: ApiObject
  /** What the object was. Undefined on create. */
  readonly current: ApiObject | undefined
  readonly dryRun: boolean
  /** From memory, as of the newest revision known. */
  get(kind: Kind, namespace: string | undefined, name: string): ApiObject | undefined
  list(kind: Kind, namespace?: string): Iterable<ApiObject>
  /** Adds to the transaction: the object must not exist yet, or the whole write is tried again. */
  create(kind: Kind, object: ApiObject): void
  /** Adds to the transaction: `object` must still be as it was read. */
  update(kind: Kind, object: ApiObject): void
  remove(kind: Kind, object: ApiObject): void
  /** A warning for the client. */
  warn(text: string): void
}

export interface Planner {
  /** The kind whose writes it plans. */
  readonly kind: Kind
  /**
   * Kinds of its own: stored and held in memory as all are (`get`, `list`, `create` … of the context know them), but
   * served nowhere. Their objects are records of what is taken, such as one for each node port.
   */
  readonly records?: readonly Kind[]
  readonly plan: (context: PlanContext) => Result<void, Status>
}

/** What planners are made with. */
export interface PlannerEnvironment {
  readonly random: Random
  /** Ports that Services may take on every node, both ends included. Kubernetes's default: 30000–32767. */
  readonly nodePorts: { readonly first: number; readonly last: number }
}
