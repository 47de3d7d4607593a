/**
 * The changes of a kind with a conversion webhook, for one watcher: in the order in which they were made, each when it
 * has been converted. What comes meanwhile is converted together.
 *
 * Promised: nothing is left out, and `reached` is never ahead of what was delivered; when a change cannot be converted, or
 * more wait than memory remembers, `failed` is the last that is heard.
 */

import type { Kind } from '#cluster/api/kind.ts'
import { expired, type Status } from '#cluster/api/status.ts'
import type { Revision } from '#cluster/store/kv.ts'
import { accepted, type Result } from '#lib/result.ts'
import { servedObjects } from '../storage/served-objects.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { ObjectEvent } from '../storage/watch-cache.ts'

/** Changes that wait for one watcher: as many as memory remembers for one that comes back. */
const MAX_WAITING = 4096
/** Converted together. */
const BATCH = 100

/** A change as memory has it and as the watcher's version does. */
export interface ConvertedChange {
  readonly event: ObjectEvent
  readonly converted: ObjectEvent
}

/** `whole`: nothing is selected, so that what an object was before matters only when it goes. */
export const convertChanges = async (
  kind: Kind,
  events: readonly ObjectEvent[],
  whole: boolean,
): Promise<Result<readonly ConvertedChange[], Status>> => {
  const before = ({ current, previous }: ObjectEvent) => (current && whole ? undefined : previous)
  const wanted = events.flatMap(event => [event.current, before(event)]).filter(each => each !== undefined)
  const served = await servedObjects(kind, wanted)
  if (!served.ok) return served
  const converted = new Map<StoredObject, StoredObject>(wanted.map((each, index) => [each, served.value[index]!]))
  const of = (stored: StoredObject | undefined) => stored && (converted.get(stored) ?? stored)
  return accepted(
    events.map(event => ({
      event,
      converted: new ObjectEvent(event.revision, of(event.current), of(event.previous)),
    })),
  )
}

export interface ConvertedChangesOptions {
  readonly kind: Kind
  readonly whole: boolean
  /** What memory stands at. */
  readonly revision: () => Revision
  readonly deliver: (change: ConvertedChange) => void
  readonly failed: (problem: Status) => void
}

export class ConvertedChanges {
  readonly #options: ConvertedChangesOptions
  #waiting: ObjectEvent[] = []
  #state: 'held' | 'idle' | 'working' | 'closed' = 'held'
  #reached: Revision

  constructor(options: ConvertedChangesOptions) {
    this.#options = options
    this.#reached = options.revision()
  }

  /** Everything up to it has been delivered. */
  get reached(): Revision {
    return this.#state === 'idle' ? this.#options.revision() : this.#reached
  }

  readonly take = (event: ObjectEvent): void => {
    if (this.#state === 'closed') return
    this.#waiting.push(event)
    if (this.#waiting.length > MAX_WAITING) {
      this.#fail(expired(`more than ${MAX_WAITING} changes wait for the conversion webhook`))
    } else if (this.#state === 'idle') void this.#work()
  }

  /** Delivers from now on; what has come before was kept. */
  open(): void {
    if (this.#state === 'held') void this.#work()
  }

  close(): void {
    this.#state = 'closed'
    this.#waiting = []
  }

  async #work(): Promise<void> {
    const { kind, whole, revision, deliver } = this.#options
    this.#state = 'working'
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH)
      const converted = await convertChanges(kind, batch, whole)
      if (this.#isClosed()) return
      if (!converted.ok) return this.#fail(converted.problem)
      for (const change of converted.value) deliver(change)
      this.#reached = batch.at(-1)!.revision
    }
    this.#reached = revision()
    this.#state = 'idle'
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #fail(problem: Status): void {
    this.close()
    this.#options.failed(problem)
  }
}
