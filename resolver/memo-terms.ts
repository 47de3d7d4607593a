/** On what terms a plugin lets its answer be given again (memo.ts). */
import type { Milliseconds } from '#lib/clock.ts'
import type { DnsName } from './wire/record.ts'

/** Told how many replies were given again. */
export interface HitCount {
  /** So many more; `duration`: of one of them, on average, from its arrival. */
  add(hits: number, duration: Milliseconds): void
}

/** What an answer rests on beside its question. */
export interface MemoTerms {
  /** Facts of the board (lib/change-board.ts). */
  readonly facts: readonly string[]
  /** On the clock's monotonic scale; absent: until a fact changes. */
  readonly until?: Milliseconds
  /** The TTLs are those of this moment and count down from it, by whole seconds; absent: they stand still. */
  readonly agedAt?: Milliseconds
  /** The board's cell with the serial of the SOA in the answer: a change elsewhere in the zone does not end the answer. */
  readonly serialCell?: number
  /** The addresses, and mail servers, may come in any order, but in none always: where they cannot take turns, no memo. */
  readonly turns?: boolean
  /** Owners, and the SOA's names, are spelled as the question spells them. */
  readonly echoesCase?: boolean
  /** The same is said of every name below this one, which the question's name is, whatever its type. */
  readonly below?: {
    readonly name: DnsName
    /** But not where the board has something by this name and the label left of `name`; absent: of every name. */
    readonly unless?: string
  }
  /** Told of the replies beside those who are told of all of the block: what is counted follows from more than those know. */
  readonly counted?: readonly HitCount[]
}

/** For what follows from the question and the configuration: until something changes that all rests on. */
export const lasting = (): MemoTerms => ({ facts: [] })
