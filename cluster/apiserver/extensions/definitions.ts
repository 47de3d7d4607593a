/**
 * The kinds that CustomResourceDefinitions make: served as soon as their names are free, renewed when their definition
 * changes, and gone when it goes and nothing of them is left.
 *
 * Promised: whoever reads that a definition is established can use its kinds; kinds of other definitions, and watches on
 * them, know nothing of it. Definitions are looked after one by one, in the order in which they change.
 */
import { isDeepStrictEqual } from 'node:util'
import { customKind } from '#cluster/api/custom/custom-kind.ts'
import {
  CLEANUP_FINALIZER,
  type DefinitionVersion,
  isConditionTrue,
  setCondition,
  specOf,
  statusOf,
} from '#cluster/api/custom/definition.ts'
import { forgetType } from '#cluster/api/custom/run-time-type.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { customResourceDefinitionKind as definitionKind } from '#cluster/api/kinds/custom-resource-definition.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import type { Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { LocalClient } from '../client.ts'
import type { Registry } from '../registry.ts'
import type { WebhookClients } from '../webhook/webhook-clients.ts'
import { judgeDefinition } from './definition-status.ts'
import { webhookConverter } from './webhook-converter.ts'

export interface DefinitionsEnvironment {
  readonly registry: Registry
  readonly client: LocalClient
  readonly webhooks: WebhookClients
  readonly logger: Logger
}

interface Installed {
  /** What the kinds are made of: while it stays, so do they. */
  readonly source: unknown
  readonly kinds: readonly Kind[]
  /** The one that is stored, where it is not served: its objects go with the definition all the same. */
  readonly hidden: readonly Kind[]
}

/** Between two attempts to delete what is left of a definition. */
const RETRY: Milliseconds = 5_000

const groupOf = (name: string): string => name.slice(name.indexOf('.') + 1)

const sourceOf = (definition: ApiObject): unknown => [definition.spec, statusOf(definition).acceptedNames]

export class Definitions {
  readonly #environment: DefinitionsEnvironment
  readonly #installed = new Map<string, Installed>()
  readonly #terminating = new Set<string>()
  /** Names to look at, each once. */
  readonly #queue = new Set<string>()
  readonly #retries = new Map<string, Timer>()
  #working = false
  #stop: (() => void) | undefined
  #kinds: readonly Kind[] = []

  constructor(environment: DefinitionsEnvironment) {
    this.#environment = environment
  }

  /** All kinds that are served; the same array while nothing changes. */
  get kinds(): readonly Kind[] {
    return this.#kinds
  }

  /** Resolves when all that was established before is served. */
  async start(): Promise<void> {
    const { registry, client } = this.#environment
    const { cache } = registry.resource(definitionKind)
    for (const { object } of cache.list()) {
      this.#noteDeletion(object)
      if (isConditionTrue(object, 'Established')) await this.#install(object)
    }
    this.#stop = client.watch(definitionKind, ({ object, previous }) => {
      if (object) this.#noteDeletion(object)
      this.#enqueue((object ?? previous)?.metadata.name ?? '')
    })
    for (const { object } of cache.list()) this.#enqueue(object.metadata.name ?? '')
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
    for (const retry of this.#retries.values()) retry.cancel()
    this.#queue.clear()
  }

  /** New objects are refused from the moment at which the deletion is known. */
  #noteDeletion({ metadata }: ApiObject): void {
    if (metadata.deletionTimestamp !== undefined) this.#terminating.add(metadata.name ?? '')
  }

  #enqueue(name: string): void {
    this.#queue.add(name)
    if (!this.#working) void this.#work()
  }

  async #work(): Promise<void> {
    this.#working = true
    for (const name of this.#queue) {
      this.#queue.delete(name)
      try {
        await this.#look(name)
      } catch (error) {
        if (this.#stop) this.#environment.logger.error({ error, name }, 'cannot serve a custom resource definition')
      }
    }
    this.#working = false
  }

  #definition(name: string): ApiObject | undefined {
    return this.#environment.registry.resource(definitionKind).cache.get(name)?.object
  }

  #othersOf(name: string): readonly ApiObject[] {
    return this.#environment.registry
      .resource(definitionKind)
      .cache.list()
      .map(({ object }) => object)
      .filter(({ metadata }) => metadata.name !== name && groupOf(metadata.name ?? '') === groupOf(name))
  }

  async #look(name: string): Promise<void> {
    const definition = this.#definition(name)
    if (!definition) {
      this.#uninstall(name)
      this.#terminating.delete(name)
      this.#releaseNames(name)
      return
    }
    if (definition.metadata.deletionTimestamp !== undefined) return this.#cleanUp(definition)
    const status = judgeDefinition(definition, this.#othersOf(name), this.#now())
    const judged = { ...definition, status } as ApiObject
    // First served, then said so.
    if (isConditionTrue(judged, 'Established')) await this.#install(judged)
    if (isDeepStrictEqual(status, definition.status)) return
    await this.#write(judged, 'status')
    this.#releaseNames(name)
  }

  #now(): string {
    return timestamp(this.#environment.registry.clock.now())
  }

  /** Others may have waited for a name that is free now. */
  #releaseNames(name: string): void {
    for (const other of this.#othersOf(name)) {
      if (!isConditionTrue(other, 'NamesAccepted')) this.#queue.add(other.metadata.name ?? '')
    }
  }

  /** A conflict needs nothing: the change that caused it is looked at next. */
  async #write(definition: ApiObject, subresource?: 'status'): Promise<void> {
    const written = await this.#environment.client.update(definitionKind, definition, subresource)
    if (written.ok || written.problem.code === 409 || written.problem.code === 404) return
    this.#environment.logger.error({ problem: written.problem.message }, 'cannot write a custom resource definition')
  }

  async #install(definition: ApiObject): Promise<void> {
    const { registry } = this.#environment
    const { name = '' } = definition.metadata
    const source = structuredClone(sourceOf(definition))
    const before = this.#installed.get(name)
    if (before && isDeepStrictEqual(before.source, source)) return
    const spec = specOf(definition)
    const parts = {
      isClosed: () => this.#terminating.has(name),
      converter: webhookConverter(spec, this.#environment.webhooks),
    }
    const make = (version: DefinitionVersion) => customKind(definition, version, parts)
    const { versions = [] } = spec
    const kinds = versions.filter(({ served }) => served).map(make)
    const hidden = versions.filter(({ served, storage }) => storage && !served).map(make)
    await registry.cacher.add([...kinds, ...hidden])
    registry.add(kinds, hidden)
    this.#installed.set(name, { source, kinds, hidden })
    if (before) this.#withdraw(before)
    this.#listKinds()
  }

  #uninstall(name: string): void {
    const before = this.#installed.get(name)
    if (!before) return
    this.#installed.delete(name)
    this.#withdraw(before)
    this.#listKinds()
  }

  #withdraw(installed: Installed): void {
    const { registry } = this.#environment
    const kinds = [...installed.kinds, ...installed.hidden]
    registry.remove(kinds)
    registry.cacher.remove(kinds)
    for (const { type } of kinds) forgetType(type)
  }

  #listKinds(): void {
    this.#kinds = [...this.#installed.values()].flatMap(({ kinds }) => kinds)
  }

  /** Deletes what there is of a definition that goes; when nothing is left, lets it go. */
  async #cleanUp(definition: ApiObject): Promise<void> {
    const { metadata } = definition
    if (!metadata.finalizers?.includes(CLEANUP_FINALIZER)) return
    const kind = this.#storedKind(definition)
    const remaining = kind ? await this.#deleteAll(kind) : 0
    const status = structuredClone(statusOf(definition))
    const done = remaining === 0
    setCondition(
      status,
      {
        type: 'Terminating',
        status: done ? 'False' : 'True',
        reason: done ? 'InstanceDeletionCompleted' : 'InstanceDeletionInProgress',
        message: done ? 'removed all instances' : 'CustomResource deletion is in progress',
      },
      this.#now(),
    )
    if (!isDeepStrictEqual(status, definition.status))
      return this.#write({ ...definition, status } as ApiObject, 'status')
    if (!done) return
    const finalizers = metadata.finalizers.filter(finalizer => finalizer !== CLEANUP_FINALIZER)
    await this.#write({ ...definition, metadata: { ...metadata, finalizers } })
  }

  /** What cannot go for now, because nobody converts it, goes when somebody does. */
  #later(kind: Kind, problem: Status): number {
    const { registry, logger } = this.#environment
    const name = `${kind.resource}.${kind.group}`
    logger.warn({ name, problem: problem.message }, 'cannot delete the objects of a custom resource definition yet')
    this.#retries.get(name)?.cancel()
    this.#retries.set(
      name,
      registry.clock.after(RETRY, () => this.#enqueue(name)),
    )
    return registry.resource(kind).cache.size
  }

  /** The kind whose objects are as they are stored, so that few need a webhook to go. */
  #storedKind(definition: ApiObject): Kind | undefined {
    const installed = this.#installed.get(definition.metadata.name ?? '')
    const stored = specOf(definition).versions?.find(({ storage }) => storage)?.name
    const kinds = [...(installed?.kinds ?? []), ...(installed?.hidden ?? [])]
    return kinds.find(({ version }) => version === stored) ?? kinds[0]
  }

  /** Gives how many are still there, because finalizers hold them; the last one's end is looked out for. */
  async #deleteAll(kind: Kind): Promise<number> {
    const { registry, client } = this.#environment
    const { cache } = registry.resource(kind)
    for (const { object } of cache.list()) {
      const { namespace, name = '', deletionTimestamp } = object.metadata
      if (deletionTimestamp !== undefined) continue
      const removed = await client.remove(kind, namespace, name)
      if (!removed.ok && removed.problem.code >= 500) return this.#later(kind, removed.problem)
    }
    if (cache.size > 0) {
      const stop = cache.subscribe(({ current }) => {
        if (current || cache.size > 0) return
        stop()
        this.#enqueue(`${kind.resource}.${kind.group}`)
      })
    }
    return cache.size
  }
}
