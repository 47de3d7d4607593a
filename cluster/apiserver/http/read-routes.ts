/** get, list and watch over HTTP. */

import { PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { ApiserverMetrics } from '../metrics.ts'
import { get } from '../verbs/get.ts'
import { list } from '../verbs/list.ts'
import { type ListOptions, readListOptions } from '../verbs/list-options.ts'
import { watch } from '../verbs/watch.ts'
import { type ResourceCall, type Wanted, wantedForm } from './call.ts'
import { type Answer, bytesOf, formAnswer, STATUS_TYPE, statusAnswer, valueAnswer } from './exchange.ts'
import { WatchStream } from './watch-stream.ts'

/** A watch that gives no time-out ends after this and up to twice it, so that not all end at once (kube-apiserver). */
const MIN_WATCH: Milliseconds = 1_800_000

export const getRoute = async (call: ResourceCall): Promise<Answer> => {
  const { registry, resource, namespace, name = '', query, accept } = call
  const wanted = wantedForm(call, 'one')
  if (!wanted.ok) return statusAnswer(wanted.problem, accept)
  const found = await get(registry, { resource, namespace, name }, query.get('resourceVersion') ?? '')
  if (!found.ok) return statusAnswer(found.problem, accept)
  const { form, syntax } = wanted.value
  return formAnswer(form.object(resource.kind, found.value), { syntax })
}

export const listRoute = async (call: ResourceCall): Promise<Answer> => {
  const { registry, resource, namespace, query, accept } = call
  const wanted = wantedForm(call, 'many')
  if (!wanted.ok) return statusAnswer(wanted.problem, accept)
  const options = readListOptions(resource.kind, query, false)
  if (!options.ok) return statusAnswer(options.problem, accept)
  const listed = await list(registry, { resource, namespace }, options.value)
  if (!listed.ok) return statusAnswer(listed.problem, accept)
  const { form, syntax } = wanted.value
  return formAnswer(form.list(resource.kind, listed.value), { syntax })
}

const timeoutOf = ({ registry: { random } }: ResourceCall, { timeoutSeconds }: ListOptions): Milliseconds =>
  timeoutSeconds === 0 ? MIN_WATCH * (1 + random.unit()) : Math.max(0, timeoutSeconds * 1000)

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
    const wanted = wantedForm(call, 'stream')
    if (!wanted.ok) return statusAnswer(wanted.problem, accept)
    const options = readListOptions(resource.kind, query, true)
    if (!options.ok) return statusAnswer(options.problem, accept)
    await this.#run(call, withName(call, options.value), wanted.value)
    return 'streamed'
  }

  /** Ends all watches; those that come later end at once. */
  close(): void {
    this.#closed = true
    for (const stream of this.#streams) stream.end()
  }

  async #run(call: ResourceCall, options: ListOptions, { form, syntax }: Wanted): Promise<void> {
    const { registry, resource, namespace, response } = call
    const stream = this.#open(call, options, { form, syntax })
    this.#streams.add(stream)
    const forget = resource.cache.onEnd(() => stream.end())
    response.statusCode = 200
    response.setHeader(
      'content-type',
      syntax === 'protobuf' ? `${PROTOBUF_MEDIA_TYPE};stream=watch` : 'application/json',
    )
    const started = await watch(registry, { resource, namespace }, options, stream)
    // Clients learn at once that the watch stands, even when nothing happens for long.
    if ('flushHeaders' in response) response.flushHeaders()
    else response.writeHead(200)
    if (started.ok) await stream.run(started.value)
    else stream.fail(started.problem)
    if (this.#closed) stream.end()
    await stream.ended
    forget()
    this.#streams.delete(stream)
  }

  #open(call: ResourceCall, options: ListOptions, { form, syntax }: Wanted): WatchStream {
    const { registry, resource, response } = call
    const { kind } = resource
    const labels = { group: kind.group, version: kind.version, resource: kind.resource }
    return new WatchStream(response, {
      kind,
      form,
      allowBookmarks: options.allowWatchBookmarks,
      timeout: timeoutOf(call, options),
      clock: registry.clock,
      errorBody: problem => bytesOf(valueAnswer({ ...problem }, STATUS_TYPE, { syntax }).body),
      onEvent: (_type, bytes) => {
        this.#metrics.watchEvents.inc(labels)
        this.#metrics.watchEventSizes.observe(labels, bytes)
      },
    })
  }
}
