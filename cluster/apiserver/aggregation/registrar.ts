/**
 * The APIServices of what this server serves itself, custom resources included: made, mended and removed with it
 * (kube-aggregator's autoregistration), so that clients find every version in one list. Those of users are left alone.
 */
import { isDeepStrictEqual } from 'node:util'
import { apiServiceName, apiServiceSpec } from '#cluster/api/aggregation/api-service.ts'
import { apiServiceKind } from '#cluster/api/kinds/api-service.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { LocalClient } from '../client.ts'
import type { GroupVersion } from '../discovery/documents.ts'
import { APISERVICES_GROUP, CUSTOM_PRIORITY } from '../discovery/priorities.ts'

export interface RegistrarEnvironment {
  readonly client: LocalClient
  readonly clock: Clock
  readonly logger: Logger
  /** What is served here now; the same array while nothing changes. */
  readonly served: () => readonly GroupVersion[]
}

const MANAGED = 'kube-aggregator.kubernetes.io/automanaged'
/** Of what is there from the start, and of what comes and goes. */
const ON_START = 'onstart'
const SYNCED = 'true'

/** How often what is served is looked at: a custom resource comes with nobody's word but its own. */
const INTERVAL: Milliseconds = 1000

const wantedFor = ({ group, version, priority }: GroupVersion): ApiObject => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: {
    name: apiServiceName({ group, version }),
    labels: { [MANAGED]: priority === CUSTOM_PRIORITY ? SYNCED : ON_START },
  },
  spec: { ...(group === '' ? {} : { group }), version, ...priority },
})

export class Registrar {
  readonly #environment: RegistrarEnvironment
  #known: readonly GroupVersion[] = []
  #timer: Timer | undefined
  #stopWatching: (() => void) | undefined
  #working: Promise<void> = Promise.resolve()
  #closed = false

  constructor(environment: RegistrarEnvironment) {
    this.#environment = environment
  }

  /** Resolves when all are there. */
  async start(): Promise<void> {
    const { client } = this.#environment
    this.#stopWatching = client.watch(apiServiceKind, ({ object, previous }) => {
      if (!object && previous?.metadata.labels?.[MANAGED] !== undefined) this.#known = []
    })
    await this.#sync()
    this.#again()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#stopWatching?.()
    await this.#working
  }

  #again(): void {
    if (this.#closed) return
    this.#timer = this.#environment.clock.after(INTERVAL, () => {
      this.#working = this.#sync().then(() => this.#again())
    })
  }

  async #sync(): Promise<void> {
    const { client, served, logger } = this.#environment
    const versions = served()
    if (versions === this.#known) return
    this.#known = versions
    const wanted = new Map(
      versions
        .filter(({ group }) => group !== APISERVICES_GROUP)
        .map(version => [apiServiceName(version), wantedFor(version)]),
    )
    const present = new Map((await client.list(apiServiceKind)).map(object => [object.metadata.name ?? '', object]))
    const writes = [...wanted].map(([name, object]) => this.#ensure(present.get(name), object))
    for (const [name, { metadata }] of present)
      if (metadata.labels?.[MANAGED] === SYNCED && !wanted.has(name))
        writes.push(client.remove(apiServiceKind, undefined, name))
    for (const result of await Promise.all(writes)) {
      if (!result || result.ok || [404, 409].includes(result.problem.code)) continue
      logger.error({ reason: result.problem.message }, 'cannot register an API')
    }
  }

  #ensure(current: ApiObject | undefined, wanted: ApiObject) {
    const { client } = this.#environment
    if (!current) return client.create(apiServiceKind, wanted)
    const mine = current.metadata.labels?.[MANAGED] !== undefined && !apiServiceSpec(current).service
    if (!mine || isDeepStrictEqual({ ...(current.spec as object) }, wanted.spec)) return undefined
    return client.update(apiServiceKind, { ...current, spec: wanted.spec })
  }
}
