/**
 * What has changed since when, in memory that all threads see: whoever keeps something that was made of a fact keeps the
 * fact's version with it, and knows by one look whether it is still right. There is no message that could come late.
 *
 *     main thread: stamp = board.version(cell) → make → keep(result, cell, stamp)      later: board.changed('svc a/b')
 *     any thread:  the result is right while board.version(cell) === stamp
 *
 * Facts are a kind and a name (`svc a/b`); each falls on one of `CELLS` cells by its hash. Two facts on one cell only make
 * things be made again more often than they need to be. A kind without a name is one fact, on which much rests, with a cell
 * of its own, as values (a zone's serial) have. What others can change as often as they like (`outside`) has cells apart:
 * a flood of it ends nothing else.
 *
 * Things that exist are held by name as well, for one question: does it certainly not exist? Their names fall on counters,
 * so that the answer may also be "perhaps".
 *
 * Only the thread that made the board changes facts, values and what exists.
 */
import assert from 'node:assert'

/** 256 KiB: with 10,000 Services in use a change ends the answers of less than one other Service. */
const CELLS = 65_536
/** 64 KiB. */
const OUTSIDE_CELLS = 16_384
/** Zones of a configuration, and facts that are alone of their kind. */
const VALUES = 1024

/** 1 MiB, a byte each: with 10,000 things, 1 of 100 that do not exist is taken for one that perhaps does. */
const COUNTERS = 1 << 20
/** A counter that ever came so far stays there: "perhaps" is never wrong. */
const FULL = 0xff

/** After the cells of facts, two words for each value. */
const FIRST_VALUE = CELLS + OUTSIDE_CELLS
const WORDS = FIRST_VALUE + 2 * VALUES

const OUTSIDE = 'outside '
/** A fact that strangers change. */
export const outside = (fact: string): string => OUTSIDE + fact

/** To give to another thread. */
export type SharedBoard = SharedArrayBuffer

export class ChangeBoard {
  readonly shared: SharedBoard
  readonly #words: Int32Array
  readonly #counters: Uint8Array
  readonly #values = new Map<string, number>()

  constructor(shared: SharedBoard = new SharedArrayBuffer(4 * WORDS + COUNTERS)) {
    this.shared = shared
    this.#words = new Int32Array(shared, 0, WORDS)
    this.#counters = new Uint8Array(shared, 4 * WORDS)
  }

  /** Where the fact's version stands. */
  cellOf(fact: string): number {
    if (!fact.includes(' ')) return this.valueCell(fact)
    const hash = hashOf(fact)
    const mixed = hash ^ (hash >>> 16)
    return fact.startsWith(OUTSIDE) ? CELLS + (mixed & (OUTSIDE_CELLS - 1)) : mixed & (CELLS - 1)
  }

  /** Something exists from now on. */
  appeared(name: string): void {
    const at = counterOf(hashOf(name))
    const count = Atomics.load(this.#counters, at)
    if (count !== FULL) Atomics.store(this.#counters, at, count + 1)
  }

  /** It had appeared, and does not exist any more. */
  vanished(name: string): void {
    const at = counterOf(hashOf(name))
    const count = Atomics.load(this.#counters, at)
    if (count !== FULL) Atomics.store(this.#counters, at, count - 1)
  }

  /** False: nothing of a name with this hash exists. */
  mayExist(hash: number): boolean {
    return Atomics.load(this.#counters, counterOf(hash)) !== 0
  }

  /**
   * A plain look, which costs a tenth of an atomic one: another thread sees at least what was changed before the last atomic
   * word that it has read from this one (lib/input-ledger.ts), which is what its promise rests on.
   */
  version(cell: number): number {
    return this.#words[cell]!
  }

  /** Ends all that was made of the fact. */
  changed(fact: string): void {
    Atomics.add(this.#words, this.cellOf(fact), 1)
  }

  /** Where the value of this name stands; the same cell for the same name. */
  valueCell(name: string): number {
    const known = this.#values.get(name)
    if (known !== undefined) return known
    assert(this.#values.size < VALUES, 'more values than the board has room for')
    const cell = FIRST_VALUE + 2 * this.#values.size
    this.#values.set(name, cell)
    return cell
  }

  /** 32 bits, unsigned; for somebody outside, who may compare it with what he is told later. */
  tell(cell: number): number {
    Atomics.store(this.#words, cell + 1, 1)
    return Atomics.load(this.#words, cell) >>> 0
  }

  /** Moves the value on: to at least `least`, and beyond every value that was told. 32 bits, unsigned. */
  advance(cell: number, least: number): void {
    do {
      const wasTold = Atomics.exchange(this.#words, cell + 1, 0) !== 0
      const value = Atomics.load(this.#words, cell) >>> 0
      Atomics.store(this.#words, cell, Math.max(wasTold ? value + 1 : value, least))
      // Told meanwhile: the old value or the new one, nobody knows.
    } while (Atomics.load(this.#words, cell + 1) !== 0)
  }
}

/** FNV-1a, a character at a time: `hashByte(hashOf('a'), 98)` is `hashOf('ab')`. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = hashByte(hash, text.charCodeAt(index))
  return hash
}

export const hashByte = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193)

const counterOf = (hash: number): number => (hash ^ (hash >>> 15)) & (COUNTERS - 1)
