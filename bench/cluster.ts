/** The data set, in an apiserver of ours, for servers that watch, and as a list, for those that read files. */

import type { Kind } from '#cluster/api/kind.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { type RunningApiserver, startApiserver } from '../test/support/apiserver.ts'
import type { ServiceEntry } from './contender.ts'

const NAMESPACES = 10
const ENDPOINTS_EACH = 2
/** Objects that are made at one time. */
const CLIENTS = 64

const ports = [{ name: 'http', port: 80, protocol: 'TCP' }]

const address = (network: number, index: number): string =>
  `10.${network + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`

const metadataOf = (index: number) => ({ namespace: `team-${index % NAMESPACES}`, name: `service-${index}` })

export const servicesOf = (count: number): readonly ServiceEntry[] =>
  Array.from({ length: count }, (_, index) => {
    const { namespace, name } = metadataOf(index)
    // Of 10.96.0.0/12, away from the cluster's own at its beginning.
    return { name: `${name}.${namespace}.svc.cluster.local.`, address: address(97, index + 1) }
  })

function* objects(count: number): Generator<readonly [kind: string, object: object]> {
  for (const [index, service] of servicesOf(count).entries()) {
    const metadata = metadataOf(index)
    yield ['Service', { metadata, spec: { clusterIP: service.address, clusterIPs: [service.address], ports } }]
    const labels = { 'kubernetes.io/service-name': metadata.name }
    const endpoints = Array.from({ length: ENDPOINTS_EACH }, (_, endpoint) => ({
      addresses: [address(128, index * ENDPOINTS_EACH + endpoint)],
      conditions: { ready: true },
    }))
    const slice = { ...metadata, name: `${metadata.name}-1`, labels }
    yield ['EndpointSlice', { metadata: slice, addressType: 'IPv4', endpoints, ports }]
  }
}

export const kindOf = (name: string): Kind => KINDS.find(({ kind }) => kind === name)!

/** An apiserver with `count` services; end it with `close`. */
export const startCluster = async (count: number): Promise<RunningApiserver> => {
  const running = await startApiserver()
  const make = async (kindName: string, object: object): Promise<void> => {
    const kind = kindOf(kindName)
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
    const made = await running.client.create(kind, { apiVersion, kind: kindName, ...object } as ApiObject)
    if (!made.ok) throw new Error(`${kindName}: ${made.problem.message}`)
  }
  for (let index = 0; index < NAMESPACES; index++) await make('Namespace', { metadata: { name: `team-${index}` } })
  const all = objects(count)
  const client = async (): Promise<void> => {
    for (const [kind, object] of all) await make(kind, object)
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return running
}
