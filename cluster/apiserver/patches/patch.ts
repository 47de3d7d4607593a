/** What a patch format is: one file each, listed in `index.ts`. */
import type { Result } from '#lib/result.ts'
import type { Status } from '../../api/status.ts'

export type JsonObject = Record<string, unknown>

export interface PatchFormat {
  readonly mediaType: string
  /**
   * The object that `patch` makes of `current`, not yet decoded: it may hold anything. Neither argument is changed.
   * `type` is the object's name in types.json. Refused: a patch that is malformed (400), too large (413), or does not
   * fit the object (422).
   */
  readonly apply: (current: JsonObject, patch: unknown, type: string) => Result<JsonObject, Status>
}
