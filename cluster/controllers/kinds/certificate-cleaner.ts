/** Removes requests that nobody needs any more: an hour after they were decided, a day after they were not. */
import {
  type RequestCondition,
  requestStatus,
  VERDICTS,
} from '#cluster/api/certificates/certificate-signing-request.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Milliseconds } from '#lib/clock.ts'
import { isNotFound } from '#watcher/api-status-error.ts'
import type { CreateController } from '../controller.ts'
import { certificateRequests } from '../views.ts'

/** kube-controller-manager's times. */
const DECIDED: Milliseconds = 3_600_000
const PENDING: Milliseconds = 86_400_000

const ENDS = new Set([...VERDICTS, 'Failed'])

/** What was approved waits for its certificate as what was not decided. */
const endsAt = (request: ApiObject): number => {
  const { conditions = [], certificate } = requestStatus(request)
  const told = ({ lastUpdateTime, lastTransitionTime }: RequestCondition) =>
    Date.parse(lastUpdateTime ?? lastTransitionTime ?? '')
  const times = conditions
    .filter(({ type = '' }) => ENDS.has(type) && (type !== 'Approved' || certificate))
    .map(told)
    .filter(time => !Number.isNaN(time))
  if (times.length > 0) return Math.min(...times) + DECIDED
  return Date.parse(request.metadata.creationTimestamp ?? '') + PENDING
}

export const certificateCleaner: CreateController = ({ client, informer, clock }) => {
  const requests = informer(certificateRequests)
  return {
    name: 'certificate-cleaner',
    watch(wake) {
      requests.subscribe(({ key, type }) => type !== 'deleted' && wake(key))
    },
    async reconcile(key, signal) {
      const request = requests.get(key)
      const left = request ? endsAt(request) - clock.now() : Number.NaN
      if (!request || Number.isNaN(left)) return 'settled'
      if (left > 0) return { again: left }
      const { name = '', uid } = request.metadata
      try {
        await client.delete(
          certificateRequests.resource,
          { name },
          { signal, ...(uid ? { preconditions: { uid } } : {}) },
        )
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
      return 'settled'
    },
  }
}
