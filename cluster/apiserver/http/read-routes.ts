/** get, list and watch over HTTP. */

import type { Milliseconds } from '#lib/clock.ts'
import type { Form } from '../forms/form.ts'
import type { ApiserverMetrics } from '../metrics.ts'
import { get } from '../verbs/get.ts'
import { list } from '../verbs/list.ts'
import { type ListOptions, readListOptions } from '../verbs/list-options.ts'
import { watch } from '../verbs/watch.ts'
import { formFor, type ResourceCall } from './call.ts'
import { type Answer, jsonAnswer, statusAnswer } from './exchange.ts'
import { negotiate } from './negotiate.ts'
import { errorFrame, WatchStream } from './watch-stream.ts'

/** A watch that gives no time-out ends after this and up to twice it, so that not all end at once (kube-apiserver). */
const MIN_WATCH: Milliseconds = 1_800_000

export const getRoute = async (call: ResourceCall): Promise<Answer> => {
  const { registry, resource, namespace, name = '', query, accept } = call
  const negotiated = negotiate(accept)
  if (!negotiated.ok) return statusAnswer(negotiated.problem, accept)
  const form = formFor(negotiated.value.shape, call, false)
  if (!form.ok) return statusAnswer(form.problem, accept)
  const found = await get(registry, { resource, namespace, name }, query.get('resourceVersion') ?? '')
  if (!found.ok) return statusAnswer(found.problem, accept)
  return jsonAnswer(form.value.object(resource.kind, found.value), { syntax: negotiated.value.syntax })
}

export const listRoute = async (call: ResourceCall): Promise<Answer> => {
  const { registry, resource, namespace, query, accept } = call
  const negotiated = negotiate(accept)
  if (!negotiated.ok) return statusAnswer(negotiated.problem, accept)
  const form = formFor(negotiated.value.shape, call, true)
  if (!form.ok) return statusAnswer(form.problem, accept)
  const options = readListOptions(resource.kind, query, false)
  if (!options.ok) return statusAnswer(options.problem, accept)
  const listed = await list(registry, { resource, namespace }, options.value)
  if (!listed.ok) return statusAnswer(listed.problem, accept)
  return jsonAnswer(form.value.list(resource.kind, listed.value), { syntax: negotiated.value.syntax })
}

const timeoutOf = ({ registry: { random } }: ResourceCall, { timeoutSeconds }: ListOptions): Milliseconds =>
  timeoutSeconds > 0 ? timeoutSeconds * 1000 : MIN_WATCH * (1 + random.unit())

/** A path that names an object watches that one. */
const withName = (call: ResourceCall, options: ListOptions): ListOptions => {
  if (call.name === undefined) return options
  const named = { field: 'metadata.name', equal: true, value: call.name }
  return { ...options, fieldSelector: [...options.fieldSelector, named] }
}

/** The watches that are open. */
export class WatchRoutes {
  readonly #metrics: ApiserverMetrics
  readonly #streams = new Set<WatchStream>()
  #closed = false

  constructor(metrics: ApiserverMetrics) {
    this.#metrics = metrics
  }

  /** Answers with a Status, or takes the response over until the watch is done. */
  async watch(call: ResourceCall): Promise<Answer | 'streamed'> {
    const { resource, query, accept } = call
    const negotiated = negotiate(accept, { watch: true })
    if (!negotiated.ok) return statusAnswer(negotiated.problem, accept)
    const shape = negotiated.value.shape === 'PartialObjectMetadataList' ? 'object' : negotiated.value.shape
    const form = formFor(shape, call, false)
    if (!form.ok) return statusAnswer(form.problem, accept)
    const options = readListOptions(resource.kind, query, true)
    if (!options.ok) return statusAnswer(options.problem, accept)
    await this.#run(call, withName(call, options.value), form.value)
    return 'streamed'
  }

  /** Ends all watches; those that come later end at once. */
  close(): void {
    this.#closed = true
    for (const stream of this.#streams) stream.end()
  }

  async #run(call: ResourceCall, options: ListOptions, form: Form): Promise<void> {
    const { registry, resource, namespace, response } = call
    const stream = this.#open(call, options, form)
    this.#streams.add(stream)
    response.statusCode = 200
    response.setHeader('content-type', 'application/json')
    const started = await watch(registry, { resource, namespace }, options, stream.deliver)
    // Clients learn at once that the watch stands, even when nothing happens for long.
    if ('flushHeaders' in response) response.flushHeaders()
    else response.writeHead(200)
    if (started.ok) {
      await stream.run(started.value)
    } else {
      const writable: NodeJS.WritableStream = response
      writable.write(errorFrame(started.problem))
      stream.end()
    }
    if (this.#closed) stream.end()
    await stream.ended
    this.#streams.delete(stream)
  }

  #open(call: ResourceCall, options: ListOptions, form: Form): WatchStream {
    const { registry, resource, response } = call
    const { kind } = resource
    const labels = { group: kind.group, version: kind.version, resource: kind.resource }
    return new WatchStream(response, {
      kind,
      form,
      allowBookmarks: options.allowWatchBookmarks,
      timeout: timeoutOf(call, options),
      clock: registry.clock,
      revision: () => registry.cacher.revision,
      onEvent: (_type, bytes) => {
        this.#metrics.watchEvents.inc(labels)
        this.#metrics.watchEventSizes.observe(labels, bytes)
      },
    })
  }
}
