/**
 * At most ten managers that update: the oldest beyond that become one of each version, `ancient-changes`, so that
 * metadata cannot grow with every program that ever wrote.
 */
import { union } from './field-set.ts'
import type { Ownership } from './managed-fields.ts'
import { type Manager, type ManagerId, managerId } from './manager.ts'

/** As Kubernetes bounds it. */
const MAX_UPDATERS = 10

const bucketOf = (apiVersion: string): Manager => ({
  name: 'ancient-changes',
  operation: 'Update',
  apiVersion,
  subresource: '',
})

const seconds = ({ time }: Ownership): number => (time === undefined ? 0 : Date.parse(time))

/** In place. */
export const capManagers = (owners: Map<ManagerId, Ownership>): void => {
  const updaters = [...owners].filter(([, { manager }]) => manager.operation === 'Update')
  if (updaters.length <= MAX_UPDATERS) return
  updaters.sort(([a, left], [b, right]) => seconds(left) - seconds(right) || (a < b ? -1 : 1))
  const firsts = new Map<string, ManagerId>()
  let count = updaters.length
  for (const [id, { manager, fields, time }] of updaters) {
    if (count <= MAX_UPDATERS) return
    const { apiVersion } = manager
    const first = firsts.get(apiVersion)
    if (first === undefined) {
      firsts.set(apiVersion, id)
      continue
    }
    const bucket = bucketOf(apiVersion)
    const bucketId = managerId(bucket)
    const gathered = owners.get(bucketId) ?? owners.get(first)
    if (!owners.has(bucketId)) owners.delete(first)
    owners.delete(id)
    // The time is that of the youngest who went in.
    owners.set(bucketId, { manager: bucket, fields: gathered ? union(fields, gathered.fields) : fields, time })
    count--
  }
}
