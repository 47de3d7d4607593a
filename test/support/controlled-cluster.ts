/** A real apiserver over HTTPS with its controllers, as kube-controller-manager; they end with the test. */
import type { ExecutionContext } from 'ava'
import { createControllers } from '#cluster/controllers/controllers.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer } from '#watcher/create-informer.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'
import { type RunningApiserver, startApiserver } from './apiserver.ts'

/** Milliseconds; what takes longer will never come. */
const DEADLINE = 60_000

const accessOf = (file: string) => loadKubeconfig({ file, environment: {}, clock: systemClock })

/** The admin's. */
export const openClient = async (t: ExecutionContext, { kubeconfig }: RunningApiserver): Promise<RestClient> => {
  const client = new RestClient({ access: await accessOf(kubeconfig) })
  t.teardown(() => client.close())
  return client
}

export interface ControllerOptions {
  /** As in a process of their own, without the apiserver's memory. */
  readonly alone?: boolean
  readonly clock?: Clock
}

export const runControllers = async (
  t: ExecutionContext,
  server: RunningApiserver,
  { alone = false, clock = systemClock }: ControllerOptions = {},
): Promise<void> => {
  const access = await accessOf(server.programs['controller-manager'])
  const environment = { clock, random: systemRandom, logger: silentLogger, registry: createRegistry() }
  const controllers = createControllers(
    { access, ...(alone ? {} : { metadata: server.apiserver.metadata }) },
    environment,
  )
  t.teardown(() => controllers.close())
  await controllers.start(new AbortController().signal)
}

export const start = async (t: ExecutionContext, options: ControllerOptions = {}): Promise<RestClient> => {
  const server = await startApiserver(t)
  await runControllers(t, server, options)
  return openClient(t, server)
}

export interface Thing extends ApiObject {
  readonly data?: Record<string, string>
  readonly spec?: Record<string, unknown>
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { type: string; status: string; message?: string }[]
  }
}

/** Resolves with the object when it is as `wanted`; undefined stands for one that is not there. */
export const becomes = async (
  t: ExecutionContext,
  client: RestClient,
  resource: Resource,
  key: string,
  wanted: (thing: Thing | undefined) => boolean,
): Promise<Thing | undefined> => {
  const informer = createInformer<Thing>(client, { resource, strip: raw => structuredClone(raw) as unknown as Thing })
  await informer.start(new AbortController().signal)
  try {
    await informer.whenSynced(AbortSignal.timeout(DEADLINE))
    return await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${key} is ${JSON.stringify(informer.get(key))}`)), DEADLINE)
      t.teardown(() => clearTimeout(late))
      const look = () => {
        if (wanted(informer.get(key))) resolve(informer.get(key))
      }
      informer.subscribe(look)
      look()
    })
  } finally {
    await informer.close()
  }
}
