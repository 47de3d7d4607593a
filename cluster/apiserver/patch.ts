/** What a patch format is: one file each in `patches/`, listed in its `index.ts`. */

import type { Status } from '#cluster/api/status.ts'
import type { Result } from '#lib/result.ts'

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
