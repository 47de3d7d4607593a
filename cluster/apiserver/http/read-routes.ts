/** get, list and watch over HTTP. */

import { ServerResponse } from 'node:http'
import { PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { ApiserverMetrics } from '../metrics.ts'
import { get } from '../verbs/get.ts'
import { list } from '../verbs/list.ts'
import { type ListOptions, readListOptions } from '../verbs/list-options.ts'
import { watch } from '../verbs/watch.ts'
import { type ResourceCall, type Wanted, wantedForm } from './call.ts'
import { type EventSink, ResponseSink } from './event-sink.ts'
import { type Answer, bytesOf, formAnswer, isGone, STATUS_TYPE, statusAnswer, valueAnswer } from './exchange.ts'
import type { AnswerSyntax } from './negotiate.ts'
import { isUpgrade } from './upgrade.ts'
import { WatchStream } from './watch-stream.ts'
import { handshakeProblem } from './websocket-handshake.ts'

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

const sinkFor = async ({ request, response }: ResourceCall, syntax: AnswerSyntax): Promise<EventSink> => {
  const binary = syntax === 'protobuf'
  if (isUpgrade(request) && response instanceof ServerResponse) {
    // Few clients want one: the start need not wait for the package.
    const { WebsocketSink } = await import('./websocket-sink.ts')
    return new WebsocketSink(request, response, binary)
  }
  return new ResponseSink(response, binary ? `${PROTOBUF_MEDIA_TYPE};stream=watch` : 'application/json')
}

/** The watches that are open. */
export class WatchRoutes {
  readonly #metrics: ApiserverMetrics
  readonly #streams = new Set<WatchStream>()
  #closed = false

  constructor(metrics: ApiserverMetrics) {
    this.#metrics = metrics
  }

  /** Answers with a Status, or takes the response over until the watch is done; upgraded: over a websocket. */
  async watch(call: ResourceCall): Promise<Answer | 'streamed' | 'upgraded'> {
    const { resource, query, accept, request } = call
    const wanted = wantedForm(call, 'stream')
    if (!wanted.ok) return statusAnswer(wanted.problem, accept)
    const options = readListOptions(resource.kind, query, true)
    if (!options.ok) return statusAnswer(options.problem, accept)
    const upgrading = isUpgrade(request)
    const problem = upgrading ? handshakeProblem(request) : undefined
    if (problem) return problem
    await this.#run(call, withName(call, options.value), wanted.value)
    return upgrading ? 'upgraded' : 'streamed'
  }

  /** Ends all watches; those that come later end at once. */
  close(): void {
    this.#closed = true
    for (const stream of this.#streams) stream.end()
  }

  async #run(call: ResourceCall, options: ListOptions, { form, syntax }: Wanted): Promise<void> {
    const { registry, resource, namespace } = call
    const sink = await sinkFor(call, syntax)
    // While it was looked up who asks: nobody would tell of that any more, and the watch would stay until its time is over.
    if (isGone(call.response)) return
    const stream = this.#open(call, options, { form, syntax, sink })
    this.#streams.add(stream)
    const forget = resource.cache.onEnd(() => stream.end())
    const started = await watch(registry, { resource, namespace }, options, stream)
    // Clients learn at once that the watch stands, even when nothing happens for long.
    sink.open()
    if (started.ok) await stream.run(started.value)
    else stream.fail(started.problem)
    if (this.#closed) stream.end()
    await stream.ended
    forget()
    this.#streams.delete(stream)
  }

  #open(call: ResourceCall, options: ListOptions, { form, syntax, sink }: Wanted & { sink: EventSink }): WatchStream {
    const { registry, resource } = call
    const { kind } = resource
    const labels = { group: kind.group, version: kind.version, resource: kind.resource }
    return new WatchStream(sink, {
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
