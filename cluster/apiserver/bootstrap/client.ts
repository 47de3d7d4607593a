/** What the bootstrap asks of the API: the same verbs, checks and planners as every client, without the network. */
import type { Result } from '#lib/result.ts'
import type { Kind } from '../../api/kind.ts'
import type { ApiObject } from '../../api/object.ts'
import type { Status } from '../../api/status.ts'

export interface BootstrapClient {
  get(kind: Kind, namespace: string | undefined, name: string): Promise<ApiObject | undefined>
  create(kind: Kind, object: ApiObject): Promise<Result<ApiObject, Status>>
  /** With the resourceVersion that was read, or 409. */
  update(kind: Kind, object: ApiObject): Promise<Result<ApiObject, Status>>
  remove(kind: Kind, namespace: string | undefined, name: string): Promise<Result<unknown, Status>>
}
