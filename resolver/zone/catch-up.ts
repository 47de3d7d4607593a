/**
 * What may be said of a name that the lists do not have while a watch is down (decision 20). The apiserver may be back
 * and have taken a Service that nobody has told of yet: so a question for such a name has the lists try again at once,
 * one try for all who ask, and waits for what comes of it.
 *
 * Promised: in the first `EARLY` of an outage nothing is denied unless the lists follow again, or a try that began after
 * the question found nobody there. Later a denial may be as old as the last try, `LATE_PAUSE`. A question waits for
 * `PATIENCE` at most, and at most `MAX_WAITING` do.
 */
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Following, FollowState } from '#watcher/following.ts'

export type CatchUpOutcome =
  /** The lists have all that is: look again. */
  | 'caught-up'
  /** Nobody is there who could have taken something new: what is not known is denied, as of the time that is known. */
  | 'away'
  /** There may be such a name, and it cannot be found out now. */
  | 'unknown'

export interface CatchUpOptions {
  /** The lists that names are made of. */
  readonly lists: readonly Following[]
  readonly clock: Clock
  /** What denials rest on has changed: a watch is lost (called in the turn in which its end is read), or all follow again. */
  readonly onChange: () => void
  /** Told how each question was answered that came while a watch was down. */
  readonly onOutcome: (outcome: CatchUpOutcome) => void
}

/**
 * Enough for the pause, a handshake and the answer of an apiserver that has just started; a third of the least that
 * clients wait before they ask again (1 s).
 */
export const PATIENCE: Milliseconds = 300
/** Some megabytes; more questions than the main thread answers while a watch that its server has ended begins anew. */
export const MAX_WAITING = 5000
/** An apiserver that is restarted in its place (a static pod) is back by then. */
export const EARLY: Milliseconds = 30_000
/** Between two tries: a refused connection costs both sides some tens of microseconds, a question waits half of this. */
export const EARLY_PAUSE: Milliseconds = 100
/** With search lists nearly every lookup brings a name that does not exist: one in a second pays for the others. */
export const LATE_PAUSE: Milliseconds = 1000
/**
 * So long questions are told that nobody can know, then what was known counts: an apiserver that is there lets a watch
 * begin within this, and clients that end their search at a SERVFAIL (musl) find no name outside of the cluster meanwhile.
 */
export const UNCLEAR: Milliseconds = 3000

interface Waiting {
  /** The number of the last try that had begun when it came. */
  readonly after: number
  /** Whether it came early in the outage. */
  readonly early: boolean
  end(outcome: CatchUpOutcome): void
}

/** The try that a list made last. */
interface Try {
  number: number
  since: Milliseconds
}

export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #tries = new Map<Following, Try>()
  readonly #waiting = new Set<Waiting>()
  readonly #stops: (() => void)[] = []
  #isCaughtUp: boolean
  /** Tries of all lists. */
  #count = 0
  #lostAt: Milliseconds
  /** When tries were last asked for, and when one last failed. */
  #askedAt: Milliseconds = Number.NEGATIVE_INFINITY
  #failedAt: Milliseconds = Number.NEGATIVE_INFINITY
  /** When the first try began that has not clearly come to nobody, nor have later ones; undefined: there is none. */
  #unclearSince: Milliseconds | undefined
  #pause: Timer | undefined

  constructor(options: CatchUpOptions) {
    this.#options = options
    this.#isCaughtUp = this.#followsAll()
    this.#lostAt = options.clock.monotonic()
    for (const list of options.lists) this.#stops.push(list.subscribe(state => this.#hear(list, state)))
  }

  /** Whether all lists hear of each change as it is made. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp
  }

  /** Until when a denial that was not waited for may be given again (monotonic); undefined: it may not. */
  get denialsHoldUntil(): Milliseconds | undefined {
    if (this.#isCaughtUp) return Number.POSITIVE_INFINITY
    const now = this.#options.clock.monotonic()
    if (now - this.#lostAt < EARLY || this.#isWorthTrying()) return undefined
    return Math.max(this.#failedAt + LATE_PAUSE, now + EARLY_PAUSE)
  }

  /** For a question whose name is not there. Resolves within `PATIENCE`, or says at once. */
  wait(): Promise<CatchUpOutcome> | CatchUpOutcome {
    if (this.#isCaughtUp) return 'caught-up'
    const early = this.#isEarly()
    const waits = this.#waiting.size < MAX_WAITING && (early || this.#isWorthTrying())
    if (!waits) return this.#tell(early ? 'unknown' : 'away')
    return new Promise(resolve => {
      const { clock } = this.#options
      const timer = clock.after(PATIENCE, () => waiting.end(early ? 'unknown' : 'away'))
      const waiting: Waiting = {
        after: this.#count,
        early,
        end: outcome => {
          timer.cancel()
          this.#waiting.delete(waiting)
          resolve(this.#tell(outcome))
        },
      }
      this.#waiting.add(waiting)
      this.#tryAgain()
    })
  }

  close(): void {
    this.#pause?.cancel()
    for (const stop of this.#stops.splice(0)) stop()
    for (const waiting of [...this.#waiting]) waiting.end('unknown')
  }

  /** Whether something new may be heard within `PATIENCE`: a try is due, or has just begun. */
  #isWorthTrying(): boolean {
    const now = this.#options.clock.monotonic()
    if (now - this.#failedAt < LATE_PAUSE) return false
    const since = this.#tryingSince()
    return since === undefined ? now - this.#askedAt >= LATE_PAUSE : now - since < PATIENCE
  }

  #isEarly(): boolean {
    const now = this.#options.clock.monotonic()
    return now - this.#lostAt < EARLY && now - (this.#unclearSince ?? now) < UNCLEAR
  }

  /** Since when the oldest try goes on; undefined: all have ended. */
  #tryingSince(): Milliseconds | undefined {
    const trying = this.#options.lists.filter(({ state }) => state === 'trying')
    return trying.length === 0 ? undefined : Math.min(...trying.map(list => this.#tries.get(list)?.since ?? 0))
  }

  #followsAll(): boolean {
    return this.#options.lists.every(({ state }) => state === 'following')
  }

  #hear(list: Following, state: FollowState): void {
    const now = this.#options.clock.monotonic()
    if (this.#isCaughtUp && state !== 'following') this.#lose(now)
    switch (state) {
      case 'trying':
        this.#tries.set(list, { number: ++this.#count, since: now })
        this.#unclearSince ??= now
        return
      case 'following':
        if (this.#isCaughtUp || !this.#followsAll()) return
        this.#isCaughtUp = true
        this.#unclearSince = undefined
        this.#options.onChange()
        for (const waiting of [...this.#waiting]) waiting.end('caught-up')
        return
      case 'refused':
      case 'unreachable':
        this.#fail(list, state, now)
    }
  }

  #lose(now: Milliseconds): void {
    this.#isCaughtUp = false
    this.#lostAt = now
    this.#unclearSince = undefined
    this.#options.onChange()
  }

  /** Who answers "no" may have told others "created": only where nobody answers, nobody was told. */
  #fail(list: Following, state: FollowState, now: Milliseconds): void {
    this.#failedAt = now
    const { number, since } = this.#tries.get(list) ?? { number: 0, since: now }
    if (state === 'unreachable' && now - since < UNCLEAR) this.#unclearSince = undefined
    for (const waiting of [...this.#waiting])
      if (!waiting.early || (state === 'unreachable' && waiting.after < number)) waiting.end('away')
    if (this.#waiting.size > 0) this.#tryAgain()
  }

  /** Now, or when the pause since the last time is over: one try for all who wait. */
  #tryAgain(): void {
    if (this.#pause) return
    const { clock, lists } = this.#options
    if (!lists.some(({ state }) => state === 'refused' || state === 'unreachable')) return
    const left = this.#askedAt + (this.#isEarly() ? EARLY_PAUSE : LATE_PAUSE) - clock.monotonic()
    if (left > 0) {
      this.#pause = clock.after(left, () => {
        this.#pause = undefined
        if (this.#waiting.size > 0) this.#tryAgain()
      })
      return
    }
    this.#askedAt = clock.monotonic()
    for (const list of lists) if (list.state === 'refused' || list.state === 'unreachable') list.retry()
  }

  #tell(outcome: CatchUpOutcome): CatchUpOutcome {
    this.#options.onOutcome(outcome)
    return outcome
  }
}
