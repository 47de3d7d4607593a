/**
 * From the apiserver's answer to a write to the first right answer over UDP, in milliseconds: Services that are made, alone
 * and while EndpointSlices of other services change as fast as the apiserver takes it.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { ApiObject } from '#cluster/api/object.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import type { RunningApiserver } from '../../test/support/apiserver.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import { kindOf } from '../cluster.ts'
import { percentile } from '../report/statistics.ts'
import { seamark } from '../servers/seamark.ts'

const CHANGES = 300
/** Milliseconds between changes: 100 a second. */
const PAUSE = 10
const CHURNERS = 16
/** Milliseconds: an answer that has not come by then is lost. */
const PATIENCE = 100
const NAMESPACE = 'team-0'

/** Asks again with each answer until it is right; resolves with the time of that. */
const untilRight = async (name: string, port: number): Promise<number> => {
  const socket = createSocket('udp4')
  const query = encodeQuery({ id: 1, name, type: recordTypes.A, recursionDesired: true, edns: undefined })
  const ask = () => socket.send(query, port, '127.0.0.1')
  const again = setInterval(ask, PATIENCE)
  ask()
  for (;;) {
    const [reply] = (await once(socket, 'message')) as [Buffer]
    if ((reply[3]! & 15) === 0 && reply.readUInt16BE(6) > 0) break
    ask()
  }
  const time = performance.now()
  clearInterval(again)
  socket.close()
  return time
}

let made = 0

const change = async ({ client }: RunningApiserver, port: number): Promise<number> => {
  const number = made++
  const metadata = { namespace: NAMESPACE, name: `new-${number}` }
  const address = `10.98.${(number >> 8) & 255}.${number & 255}`
  const spec = { clusterIP: address, clusterIPs: [address], ports: [{ port: 80 }] }
  const written = await client.create(kindOf('Service'), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec,
  } as unknown as ApiObject)
  if (!written.ok) throw new Error(written.problem.message)
  const accepted = performance.now()
  const took = (await untilRight(`${metadata.name}.${NAMESPACE}.svc.cluster.local.`, port)) - accepted
  await client.remove(kindOf('Service'), NAMESPACE, metadata.name)
  return took
}

/** Percentiles of so many changes, one begun every `PAUSE`. */
const measure = async (cluster: RunningApiserver, port: number) => {
  const running: Promise<number>[] = []
  for (let turn = 0; turn < CHANGES; turn++) {
    running.push(change(cluster, port))
    await new Promise(resolve => setTimeout(resolve, PAUSE))
  }
  const times = (await Promise.all(running)).toSorted((a, b) => a - b)
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
}

/** Flips the readiness of one slice after another until it is told to stop; resolves with how many it has changed. */
const churn = async ({ client }: RunningApiserver, signal: AbortSignal): Promise<number> => {
  const kind = kindOf('EndpointSlice')
  const slices = (await client.list(kind)).filter(({ metadata }) => /^team-[1-9]$/.test(metadata.namespace ?? ''))
  let changes = 0
  const churner = async (): Promise<void> => {
    while (!signal.aborted) {
      const slice = structuredClone(slices[changes++ % slices.length]!) as ApiObject & {
        endpoints: { conditions: { ready: boolean } }[]
      }
      const ready = Math.floor(changes / slices.length) % 2 === 0
      for (const endpoint of slice.endpoints) endpoint.conditions.ready = ready
      delete slice.metadata.resourceVersion
      await client.update(kind, slice)
    }
  }
  await Promise.all(Array.from({ length: CHURNERS }, churner))
  return changes
}

const run: BenchCase['run'] = async (stage): Promise<Figures> => {
  const server = await stage.server(seamark)
  const cluster = await stage.cluster()
  const alone = await measure(cluster, server!.port)
  const stop = new AbortController()
  const began = performance.now()
  const churned = churn(cluster, stop.signal)
  const beside = await measure(cluster, server!.port)
  stop.abort()
  const changes = await churned
  return {
    'p50, ms': alone.p50,
    'p99, ms': alone.p99,
    'p50 beside changes of slices, ms': beside.p50,
    'p99 beside changes of slices, ms': beside.p99,
    'changes of slices/s': changes / ((performance.now() - began) / 1000),
  }
}

export default { name: 'change', run } satisfies BenchCase
