/**
 * Brings one object to what it must say, and leaves alone what users added: labels, annotations and ports of theirs
 * stay. Writes nothing when nothing is missing.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import type { Result } from '#lib/result.ts'
import { accepted } from '#lib/result.ts'
import type { LocalClient } from '../client.ts'

/** What must be so in an object that is there; returns a changed copy, or the object itself when nothing is missing. */
export type Repair = (current: ApiObject, wanted: ApiObject) => ApiObject

/** Another writer was quicker this often: give up and say so. */
const TRIES = 5

const withMetadata = (current: ApiObject, { metadata }: ApiObject): ApiObject['metadata'] => ({
  ...current.metadata,
  ...(metadata.labels ? { labels: { ...current.metadata.labels, ...metadata.labels } } : {}),
  ...(metadata.annotations ? { annotations: { ...metadata.annotations, ...current.metadata.annotations } } : {}),
})

/** It only has to exist. */
export const keep: Repair = current => current

/** The named fields are ours alone. */
export const own =
  (...fields: readonly string[]): Repair =>
  (current, wanted) => {
    const next: ApiObject = { ...current, metadata: withMetadata(current, wanted) }
    for (const field of fields) {
      if (wanted[field] === undefined) delete next[field]
      else next[field] = wanted[field]
    }
    return next
  }

interface Port {
  name?: string
}

/** A Service keeps its address and further ports; the ports that we name are as we say, and its type is ClusterIP. */
export const repairService: Repair = (current, wanted) => {
  const spec = current.spec as { ports?: Port[] }
  const ours = (wanted.spec as { ports: Port[] }).ports
  const isOurs = (port: Port) => ours.some(({ name }) => name === port.name)
  const kept = (spec.ports ?? []).filter(port => !isOurs(port))
  const renewed = ours.map(port => ({ ...spec.ports?.find(({ name }) => name === port.name), ...port }))
  return {
    ...current,
    metadata: withMetadata(current, wanted),
    spec: { ...spec, type: 'ClusterIP', ports: [...renewed, ...kept] },
  }
}

export const ensure = async (
  client: LocalClient,
  kind: Kind,
  wanted: ApiObject,
  repair: Repair,
): Promise<Result<unknown, Status>> => {
  const { namespace, name = '' } = wanted.metadata
  let last: Result<unknown, Status> = accepted(undefined)
  for (let tries = 0; tries < TRIES; tries++) {
    const current = await client.get(kind, namespace, name)
    if (current) {
      const next = repair(current, wanted)
      if (isDeepStrictEqual(next, current)) return accepted(undefined)
      last = await client.update(kind, next)
    } else last = await client.create(kind, wanted)
    // 409: it came, went or changed between the look and the write.
    if (last.ok || last.problem.code !== 409) return last
  }
  return last
}
