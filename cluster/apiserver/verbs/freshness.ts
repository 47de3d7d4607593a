/** How new memory must be before it may answer, by the client's resourceVersion. */
import { failure, type Status } from '#cluster/api/status.ts'
import type { Revision } from '#cluster/store/kv.ts'
import type { Registry } from '../registry.ts'

/** As long as Kubernetes's watch cache waits for a revision from the future. */
const WAIT = 3000

/** The 504 of a revision that there is not yet. */
export const tooLarge = (wanted: Revision, current: Revision): Status =>
  failure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

/** Memory no older than what is stored now (`''`), than anything (`0`), or than that revision; else a 504. */
export const becomeFresh = async ({ cacher }: Registry, resourceVersion: string): Promise<Status | undefined> => {
  if (resourceVersion === '0') return undefined
  if (resourceVersion === '') {
    await cacher.fresh()
    return undefined
  }
  const wanted = Number(resourceVersion)
  return (await cacher.waitFor(wanted, WAIT)) ? undefined : tooLarge(wanted, cacher.revision)
}
