/**
 * One watcher's stream of events.
 *
 * Promised: a live change is written to the socket within its delivery; a
 * watcher that does not read is cut off at `MAX_BUFFERED` bytes rather than remembered without end. A cut watcher
 * resumes from its last resourceVersion.
 */

import type { Kind } from '#cluster/api/kind.ts'
import type { Status } from '#cluster/api/status.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Form } from '../forms/form.ts'
import type { Watch, WatchNotice } from '../verbs/watch.ts'
import type { EventSink } from './event-sink.ts'

/** Bytes that wait for one watcher to read. A list of 10,000 Services is half of it. */
const MAX_BUFFERED = 16 * 1024 * 1024
/** Initial events go out in pieces of this size, each when the one before has left. */
const INITIAL_CHUNK = 64 * 1024
/** Kubernetes's watch cache tells watchers where it stands about once a minute. */
const BOOKMARK_PERIOD: Milliseconds = 60_000
/** The last bookmark comes this long before a watch ends by its own time-out, as in Kubernetes. */
const BOOKMARK_BEFORE_END: Milliseconds = 2_000

/** KEP-3157: the bookmark behind the initial events. */
const INITIAL_END = { 'k8s.io/initial-events-end': 'true' }

export interface WatchStreamOptions {
  readonly kind: Kind
  readonly form: Form
  readonly allowBookmarks: boolean
  readonly timeout: Milliseconds
  readonly clock: Clock
  /** The `object` of an ERROR event. */
  readonly errorBody: (problem: Status) => Buffer
  readonly onEvent: (type: string, bytes: number) => void
}

export class WatchStream {
  readonly #sink: EventSink
  readonly #options: WatchStreamOptions
  /** Changes that came before the initial part was out. Undefined: the stream is live. */
  #backlog: WatchNotice[] | undefined = []
  #backlogBytes = 0
  #first = true
  #ended = false
  #watch: Watch | undefined
  readonly #timers = new Map<string, Timer>()
  /** Resolves when the stream is over, for whatever reason. */
  readonly ended: Promise<void>
  #resolveEnded: () => void = () => {}

  constructor(sink: EventSink, options: WatchStreamOptions) {
    this.#sink = sink
    this.#options = options
    this.ended = new Promise(resolve => (this.#resolveEnded = resolve))
    sink.signals.once('close', () => this.end())
  }

  /** Takes a change in; for `watch`. */
  readonly deliver = (notice: WatchNotice): void => {
    if (this.#ended) return
    if (!this.#backlog) {
      this.#write(this.#frameOf(notice))
      return
    }
    this.#backlog.push(notice)
    this.#backlogBytes += notice.stored.json.length
    if (this.#backlogBytes > MAX_BUFFERED) this.#cut()
  }

  /** Ends it with an ERROR event, for `watch`. */
  readonly fail = (problem: Status): void => {
    const { form, errorBody } = this.#options
    this.#write(form.frame('ERROR', errorBody(problem)))
    this.end()
  }

  async run(watch: Watch): Promise<void> {
    this.#watch = watch
    if (this.#ended) return watch.close()
    const { clock, timeout, allowBookmarks } = this.#options
    this.#timers.set(
      'end',
      clock.after(timeout, () => this.end()),
    )
    await this.#sendInitial(watch)
    for (const notice of this.#backlog ?? []) this.#write(this.#frameOf(notice))
    this.#backlog = undefined
    if (allowBookmarks && !this.#ended) {
      this.#bookmarkEachMinute()
      const last = timeout - BOOKMARK_BEFORE_END
      if (last > 0)
        this.#timers.set(
          'last bookmark',
          clock.after(last, () => this.#bookmark()),
        )
    }
  }

  /** The client may resume. Idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#watch?.close()
    for (const timer of this.#timers.values()) timer.cancel()
    this.#backlog = undefined
    this.#sink.end()
    this.#resolveEnded()
  }

  async #sendInitial(watch: Watch): Promise<void> {
    let chunk: Buffer[] = []
    let size = 0
    for (const notice of watch.initial) {
      const bytes = this.#frameOf(notice)
      chunk.push(bytes)
      size += bytes.length
      if (size < INITIAL_CHUNK) continue
      if (!this.#writeAll(chunk)) await this.#drained()
      if (this.#ended) return
      chunk = []
      size = 0
    }
    if (watch.marksInitialEnd && this.#options.allowBookmarks)
      chunk.push(this.#bookmarkFrame(watch.revision, INITIAL_END))
    if (chunk.length > 0) this.#writeAll(chunk)
  }

  /** Resolves when the socket takes more, or the stream has ended. */
  #drained(): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        this.#sink.signals.off('drain', done)
        this.#sink.signals.off('close', done)
        resolve()
      }
      this.#sink.signals.on('drain', done)
      this.#sink.signals.on('close', done)
      void this.ended.then(done)
    })
  }

  #frameOf({ type, stored, event }: WatchNotice): Buffer {
    const { form, onEvent } = this.#options
    const first = this.#isFirst()
    const id = `${type}/${form.id}/${stored.kind.group}${first ? '/first' : ''}`
    let bytes = event?.frames.get(id)
    if (!bytes) {
      bytes = form.frame(type, form.watched(stored, first))
      event?.frames.set(id, bytes)
    }
    onEvent(type, bytes.length)
    return bytes
  }

  /** Whether the frame that is being made is the stream's first, and that matters to its form. */
  #isFirst(): boolean {
    const first = this.#first && this.#options.form.firstDiffers
    this.#first = false
    return first
  }

  #bookmarkFrame(revision: number, annotations?: Readonly<Record<string, string>>): Buffer {
    const { form, kind, onEvent } = this.#options
    const metadata = { resourceVersion: String(revision), ...(annotations ? { annotations } : {}) }
    const bytes = form.frame('BOOKMARK', form.bookmark(kind, metadata, this.#isFirst()))
    onEvent('BOOKMARK', bytes.length)
    return bytes
  }

  #bookmark(): void {
    if (!this.#ended && !this.#backlog && this.#watch) this.#write(this.#bookmarkFrame(this.#watch.reached()))
  }

  #bookmarkEachMinute(): void {
    const next = () => {
      this.#bookmark()
      this.#bookmarkEachMinute()
    }
    this.#timers.set('bookmark', this.#options.clock.after(BOOKMARK_PERIOD, next))
  }

  /** False when the socket asks for a pause. */
  #write(frame: Buffer): boolean {
    return this.#ended || this.#bounded(this.#sink.send(frame))
  }

  #writeAll(frames: readonly Buffer[]): boolean {
    return this.#ended || this.#bounded(this.#sink.sendAll(frames))
  }

  #bounded(more: boolean): boolean {
    if (this.#sink.buffered > MAX_BUFFERED) this.#cut()
    return more
  }

  /** Ends the stream at once: what is buffered is thrown away. */
  #cut(): void {
    this.end()
    this.#sink.destroy()
  }
}
