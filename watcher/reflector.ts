/**
 * Keeps a copy of one resource right: lists, then follows the changes, for as long as it runs.
 *
 * The list is a streaming one (KEP-3157) where the server takes it, else pages. A dropped stream resumes from the last
 * revision; a revision that the server has forgotten means a new list, which marks what it sees and sweeps the rest, so
 * there are never two copies. Failures are waited out with backoff and are never given up on; an answer that another
 * call of the same client gets ends the wait early, and so does whoever has need of the list (`retry`).
 * Promised: the copy hears each change once, in the server's order. Not promised: every state between two lists.
 */
import { Backoff } from '#lib/backoff.ts'
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import { ApiStatusError } from './api-status-error.ts'
import type { RestClient } from './client.ts'
import type { Following, FollowState } from './following.ts'
import type { ApiObject, ListMeta } from './object.ts'
import type { Resource } from './resource.ts'
import { SilenceTimer } from './silence-timer.ts'
import type { WatchEvent, WatchOptions } from './watch-stream.ts'

/** What the reflector fills. Its methods do not throw. */
export interface ReflectorTarget {
  /** A list begins: what is not put until `listEnds` is gone. A list that fails begins again, without an end. */
  listBegins(): void
  listEnds(): void
  put(object: ApiObject): void
  remove(object: ApiObject): void
}

export interface ReflectorOptions {
  readonly client: RestClient
  readonly resource: Resource
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** `way`: how a list was made. Called when it is whole. */
  readonly onList?: (way: 'stream' | 'pages') => void
  readonly onFailure?: () => void
}

/** Objects a page, as client-go: a list of any size costs the apiserver bounded memory. */
const PAGE = 500
/** client-go's: between 5 and 10 minutes, so that many watchers do not come back together. Seconds. */
const WATCH_SECONDS = { minimum: 300, spread: 300 }
/**
 * A server that knows streaming lists sends one event after the other up to the bookmark; one that ignores the
 * parameter stops after the last object and never sends it. KEP-3157's servers may wait 3 s for their cache first.
 */
const INITIAL_SILENCE: Milliseconds = 10_000
/** After this long a failure is news: the next one begins the backoff anew. */
const STEADY: Milliseconds = 30_000
/** A stream that brought nothing and lasted less than this is a failure, as for client-go. */
const SHORT_WATCH: Milliseconds = 1_000
/** First a blink, for a connection that was cut; then up to the time that a restarting apiserver can take. */
const BACKOFF = { initial: 400, maximum: 20_000 }
/**
 * A watch that goes on from a revision begins with what was missed, and nothing marks the end of that: servers send it
 * right after the head of their answer, so it has come when nothing more does for some milliseconds, or, where changes
 * never pause, when there was time for all that a server remembers.
 */
const MISSED = { silence: 10, atMost: 100 }

const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'

export class Reflector implements Following {
  readonly #options: ReflectorOptions
  readonly #target: ReflectorTarget
  readonly #backoff: Backoff
  /** Whether the copy is whole as of `#revision`; else a list comes first. */
  #listed = false
  #revision = ''
  /** Whether the server forgot `#revision` or has never reached it: the next list asks for the newest state. */
  #revisionLost = false
  #streaming = true
  /** Streaming lists in a row that ended cleanly before their bookmark. */
  #unfinished = 0
  /** Pages expired under us: the next list is asked for whole. */
  #unpaged = false
  #problem = ''
  /** Whether the last wait was ended by the answer to another call. */
  #woken = false
  /** The end of the wait that the backoff asked for last; tries before it came early. */
  #dueAt: Milliseconds = 0
  #nap: AbortController | undefined
  #state: FollowState = 'trying'
  readonly #listeners = new Set<(state: FollowState) => void>()
  #heardAt: Milliseconds | undefined
  #connectionHeard: (() => Milliseconds) | undefined

  constructor(options: ReflectorOptions, target: ReflectorTarget) {
    this.#options = options
    this.#target = target
    this.#backoff = new Backoff({ ...BACKOFF, random: options.random })
  }

  get resourceVersion(): string {
    return this.#revision
  }

  get state(): FollowState {
    return this.#state
  }

  subscribe(listener: (state: FollowState) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  retry(): void {
    this.#nap?.abort()
  }

  /** What last went wrong, `''` while all is well. */
  get problem(): string {
    return this.#problem
  }

  /** When the server last showed that it is there (monotonic): an event, a byte, an answered PING. */
  get lastHeard(): Milliseconds | undefined {
    const connection = this.#connectionHeard?.()
    if (connection === undefined || this.#heardAt === undefined) return this.#heardAt ?? connection
    return Math.max(this.#heardAt, connection)
  }

  /** Resolves when `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      const startedAt = clock.monotonic()
      const heardBefore = this.#heardAt
      let failure: unknown
      this.#enter('trying')
      try {
        await this.#round(signal)
      } catch (error) {
        failure = error
      }
      if (signal.aborted) break
      const lasted = clock.monotonic() - startedAt
      const fruitful = this.#heardAt !== heardBefore || lasted >= SHORT_WATCH
      if (failure === undefined && fruitful) {
        this.#recover()
        continue
      }
      failure ??= new Error('the watch ended at once and brought nothing')
      if (lasted >= STEADY) this.#backoff.reset()
      if (this.#judge(failure, fruitful)) continue
      this.#note(failure)
      await this.#wait(failure, signal)
    }
  }

  /**
   * A server that answers others may still fail us, each time: every second wait is slept out whole, so that tries are
   * at most twice as frequent as the backoff says. What a refusal asks for, no answer to another call brings.
   */
  async #wait(failure: unknown, signal: AbortSignal): Promise<void> {
    const { client, clock, random } = this.#options
    const now = clock.monotonic()
    // Tries that come early leave the wait as it is: they are others' and must not make our own rarer.
    if (now >= this.#dueAt) this.#dueAt = now + this.#backoff.next()
    const delay = this.#dueAt - now
    const refused = failure instanceof ApiStatusError && failure.code < 500
    const wakeable = !refused && !this.#woken
    this.#nap = new AbortController()
    const end = AbortSignal.any([signal, this.#nap.signal])
    this.#enter(failure instanceof SeamarkError && failure.code === 'API_UNREACHABLE' ? 'unreachable' : 'refused')
    this.#woken = wakeable && (await client.untilAnswered(delay, end))
    if (!wakeable) await sleep(clock, delay, end)
    // All who wait are woken at once: they come back one by one.
    else if (this.#woken) await sleep(clock, random.unit() * BACKOFF.initial, end)
    this.#nap = undefined
  }

  #enter(state: FollowState): void {
    if (state === 'following') {
      if (this.#state === state) return
      this.#dueAt = 0
    }
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }

  async #round(signal: AbortSignal): Promise<void> {
    if (this.#listed) return this.#follow(signal)
    if (this.#streaming) return this.#listByStream(signal)
    return this.#listByPages(signal)
  }

  /** Draws the conclusions from a failure; says whether to go on at once. */
  #judge(failure: unknown, fruitful: boolean): boolean {
    if (failure instanceof StreamingUnsupportedError) {
      this.#options.logger.info({ ...this.#fields(), reason: failure.message }, 'listing by pages')
      this.#streaming = false
      return true
    }
    if (!(failure instanceof ApiStatusError)) return false
    if (failure.isExpired || failure.isTooLargeResourceVersion) {
      // Kubernetes API concepts, "410 Gone responses": clear the cache's position and list again.
      this.#listed = false
      const news = !this.#revisionLost
      this.#revisionLost = true
      return news && fruitful
    }
    return false
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const missed = new SilenceTimer({ clock, ...MISSED, onEnd: () => this.#enter('following') })
    const onOpen = () => missed.heard()
    try {
      await this.#watch({ resourceVersion: this.#revision, onOpen }, signal, event => {
        missed.heard()
        this.#apply(event)
      })
    } finally {
      missed.stop()
    }
  }

  async #listByStream(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const late = new AbortController()
    const end = () => late.abort(new StreamingUnsupportedError('the initial events have no end'))
    const guard = new SilenceTimer({ clock, silence: INITIAL_SILENCE, onEnd: end })
    this.#target.listBegins()
    try {
      await this.#watch(
        {
          resourceVersion: this.#revisionLost ? '' : this.#revision,
          resourceVersionMatch: 'NotOlderThan',
          sendInitialEvents: true,
          onOpen: () => guard.heard(),
        },
        AbortSignal.any([signal, late.signal]),
        event => {
          if (this.#listed) return this.#apply(event)
          guard.heard()
          if (this.#applyInitial(event)) guard.stop()
        },
      )
    } catch (error) {
      if (!this.#listed && error instanceof ApiStatusError && refusesStreaming(error)) {
        throw new StreamingUnsupportedError(error.message)
      }
      throw error
    } finally {
      guard.stop()
    }
    if (!this.#listed && ++this.#unfinished > 1)
      throw new StreamingUnsupportedError('streams end before their bookmark')
  }

  async #listByPages(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector } = this.#options
    // As client-go: the first list may come from the server's cache; a later one must not go back in time.
    const from = this.#revisionLost ? '' : this.#revision || '0'
    this.#target.listBegins()
    let page: ListMeta = {}
    do {
      const position = page.continue
        ? { continue: page.continue }
        : {
            resourceVersion: from,
            ...(from !== '' && from !== '0' && { resourceVersionMatch: 'NotOlderThan' as const }),
          }
      const options = {
        namespace,
        labelSelector,
        fieldSelector,
        signal,
        ...(!this.#unpaged && { limit: PAGE }),
        ...position,
      }
      try {
        page = await client.listItems(resource, options, object => this.#target.put(object))
      } catch (error) {
        if (page.continue && error instanceof ApiStatusError && error.isExpired) this.#unpaged = true
        throw error
      }
      this.#hear()
    } while (page.continue)
    this.#listEnds(page.resourceVersion ?? '', 'pages')
  }

  #watch(
    options: Omit<WatchOptions, 'signal' | 'timeoutSeconds'>,
    signal: AbortSignal,
    onEvent: (event: WatchEvent<ApiObject>) => void,
  ): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector, random } = this.#options
    const timeoutSeconds = Math.round(WATCH_SECONDS.minimum + random.unit() * WATCH_SECONDS.spread)
    return client.watch<ApiObject>(
      resource,
      {
        namespace,
        labelSelector,
        fieldSelector,
        allowWatchBookmarks: true,
        timeoutSeconds,
        signal,
        ...options,
        onOpen: heard => {
          this.#connectionHeard = heard
          this.#clearProblem()
          options.onOpen?.(heard)
        },
      },
      event => {
        this.#hear()
        onEvent(event)
      },
    )
  }

  /** Initial events come in no order of revisions, so none of them is a place to resume from. Says whether it was the last. */
  #applyInitial({ type, object }: WatchEvent<ApiObject>): boolean {
    if (type === 'DELETED') this.#target.remove(object)
    else if (type !== 'BOOKMARK') this.#target.put(object)
    else if (object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
      this.#listEnds(object.metadata.resourceVersion ?? '', 'stream')
      this.#enter('following')
      return true
    }
    return false
  }

  #apply({ type, object }: WatchEvent<ApiObject>): void {
    if (type === 'DELETED') this.#target.remove(object)
    else if (type !== 'BOOKMARK') this.#target.put(object)
    this.#revision = object.metadata.resourceVersion ?? this.#revision
    this.#backoff.reset()
  }

  #listEnds(revision: string, way: 'stream' | 'pages'): void {
    this.#revision = revision
    this.#revisionLost = this.#unpaged = false
    this.#unfinished = 0
    this.#listed = true
    this.#target.listEnds()
    this.#options.onList?.(way)
    this.#recover()
  }

  #hear(): void {
    this.#heardAt = this.#options.clock.monotonic()
  }

  /** Each new problem is said once; its repetitions are for those who look closely. */
  #note(failure: unknown): void {
    const problem = failure instanceof Error ? failure.message : String(failure)
    const level = problem === this.#problem ? 'debug' : 'warn'
    this.#problem = problem
    this.#options.onFailure?.()
    const next = failure instanceof ApiStatusError || failure instanceof SeamarkError ? failure.advice : undefined
    this.#options.logger[level]({ ...this.#fields(), problem, next }, 'watching failed, trying again')
  }

  #recover(): void {
    this.#backoff.reset()
    this.#woken = false
    this.#clearProblem()
  }

  #clearProblem(): void {
    if (this.#problem !== '') this.#options.logger.info(this.#fields(), 'watching again')
    this.#problem = ''
  }

  #fields() {
    const { resource, namespace } = this.#options
    return { resource: resource.resource, ...(namespace !== undefined && { namespace }), revision: this.#revision }
  }
}

/**
 * Before 1.27 the parameters are invalid; since then an apiserver whose etcd cannot report progress (before 3.4.25)
 * answers 500 InternalError. What asks for patience or for other credentials says nothing about streaming.
 */
const refusesStreaming = (error: ApiStatusError): boolean =>
  error.isInvalid || error.isBadRequest || error.reason === 'InternalError'

/** The server does not speak KEP-3157. */
class StreamingUnsupportedError extends Error {
  override readonly name = 'StreamingUnsupportedError'
}
