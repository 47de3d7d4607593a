/**
 * The memo: finished replies by the bytes of their questions. Runs once per packet: bytes in, bytes out, no decoding, no
 * allocation but the key.
 *
 * A reply is kept only where the resolver said that it rests on nothing but the question, its flags and EDNS, and on
 * facts whose versions are kept with it (lib/change-board.ts). So a hit is what the readable path (resolver/resolve.ts)
 * would answer at this moment, but for the id, the order of addresses and the spelling, which are the client's.
 *
 * What is in a key: the listener's number, the header's flags, whether there is an additional record, the name in lower
 * case, and all that follows it as it is (type, class, OPT with its size, DO and options) but the bytes of a DNS cookie.
 * What the reply says to that is the caller's to write.
 */
import { ChangeBoard, hashByte, type SharedBoard } from '#lib/change-board.ts'

const HEADER = 12
/** RFC 1035 §3.1: longest name, in bytes. */
const MAX_NAME = 255
/** Before the name: the listener, flags, count. */
const KEY_HEAD = 4
/** Name, type, class, and an OPT with small options. Longer questions go the readable way. */
const MAX_KEY = KEY_HEAD + MAX_NAME + 4 + 64
/** Bytes that an entry takes beside its reply and its key: map's slot, objects, numbers, the buffer's own. Measured. */
const ENTRY_OVERHEAD = 800

/** RFC 6891 §6.1.2: owner, TYPE, CLASS, TTL, RDLENGTH; each option has a code and a length before its data. */
const OPT = 41
const OPT_HEAD = 11
const OPTION_HEAD = 4
/** RFC 7873 §4. */
const COOKIE = 10

/** Names below which nothing exists are few: namespaces, and what search lists put before a zone. */
const MAX_BELOW = 4096
/** RFC 1035 §4.2.1: every client takes so much over UDP. */
const MAX_BELOW_REPLY = 512
/** A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, SVCB, HTTPS. */
const PLAIN_TYPES: ReadonlySet<number> = new Set([1, 2, 5, 6, 12, 15, 16, 28, 33, 64, 65])

export interface KeptReply {
  /** A reply to a question in lower case, or to any if it is `anyCase`. */
  readonly reply: Buffer
  /** The facts it rests on: pairs of cell and version. */
  readonly facts: readonly number[]
  /** Until when it is right, milliseconds on the clock of `find`; infinite: until a fact changes. */
  readonly until: number
  /** Offsets of the TTLs that count down since `keptAt`; none: they stand still (data of our own). */
  readonly ttls: readonly number[]
  readonly keptAt: number
  /** Where the SOA's serial stands and the board's cell that has it now; 0: there is none to write. */
  readonly serialAt: number
  readonly serialCell: number
  /** Where the DNS cookie stands, to which the rest of the reply is the same for all; 0: there is none. */
  readonly cookieAt: number
  /** Only the question's bytes tell the spelling: a question in other letters gets the same reply with its own. */
  readonly anyCase: boolean
  /** The run of address records that takes turns: where it begins, bytes of each, how many; 0 records: none. */
  readonly turnsAt: number
  readonly turnsSize: number
  readonly turnsCount: number
  /** By which number hits are counted. */
  readonly profile: number
  /** Present: it is the reply to all names below the last `labels` labels of its question's, but for what may exist. */
  readonly below?: BelowTerms | undefined
}

export interface BelowTerms {
  readonly labels: number
  /** The hash to which the label left of these is added, for the board's `mayExist`; undefined: nothing exists there. */
  readonly hash: number | undefined
  /** Offsets of the pointers into the question. */
  readonly pointers: readonly number[]
  /** Where the question ends. */
  readonly questionEnd: number
}

/** Quicker than `toString('latin1')`; Node's own, and not in its types. */
interface LatinBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
}

/** A kept reply with its turn. */
interface Entry extends KeptReply {
  turn: number
  readonly cost: number
}

export class Answers {
  /** The profile of the last hit. */
  profile = 0
  /** Where the last hit wants its cookie, in the output; 0: it has none. Then the client's is in the input, so long. */
  cookieAt = 0
  askedCookieAt = 0
  askedCookieLength = 0
  readonly #board: ChangeBoard
  readonly #halfBudget: number
  /** Replies that were asked for lately. When it is full, it becomes the old one, and what was old and not asked for goes. */
  #recent = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #recentCost = 0
  /** Replies to all names below some name, by that name. */
  readonly #below = new Map<string, KeptReply>()
  /** How many labels the names in `#below` have. */
  #belowLabels: number[] = []
  readonly #key = Buffer.alloc(MAX_KEY) as LatinBuffer
  readonly #belowKey = Buffer.alloc(MAX_KEY) as LatinBuffer
  /** Of the question whose key was made last: where its name ends, in the packet and in the key. */
  #nameEnd = 0
  #keyNameEnd = 0
  #keyEnd = 0
  /** Where its labels begin in the key. */
  readonly #labels = new Uint16Array(MAX_NAME)
  #labelCount = 0
  #isMixedCase = false

  /** `budget`: bytes that may be kept. */
  constructor(board: SharedBoard, budget: number) {
    this.#board = new ChangeBoard(board)
    this.#halfBudget = budget / 2
  }

  /**
   * Writes the reply to the packet in `input` at `start` to `output` at `to`. Its length; 0: ask the readable path.
   * `space`: the number of the listener that it came in by, below 256. `now` in milliseconds, on the scale of `until`.
   */
  find(space: number, input: Buffer, start: number, length: number, output: Buffer, to: number, now: number): number {
    const key = this.#keyOf(space, input, start, length)
    if (key === undefined) return 0
    let entry = this.#recent.get(key)
    if (entry === undefined) {
      entry = this.#old.get(key)
      if (entry === undefined)
        return this.#belowLabels.length === 0 ? 0 : this.#findBelow(input, start, output, to, now)
      if (this.#isRight(entry, now)) this.#put(key, entry)
      this.#old.delete(key)
    }
    if (!this.#isRight(entry, now)) {
      if (this.#recent.delete(key)) this.#recentCost -= entry.cost
      return 0
    }
    if (this.#isMixedCase && !entry.anyCase) return 0
    const { reply } = entry
    reply.copy(output, to)
    output[to] = input[start]!
    output[to + 1] = input[start + 1]!
    if (this.#isMixedCase) input.copy(output, to + HEADER, start + HEADER, this.#nameEnd)
    if (entry.turnsCount > 1) takeTurn(entry, output, to)
    if (entry.serialAt !== 0) output.writeUInt32BE(this.#board.tell(entry.serialCell), to + entry.serialAt)
    if (entry.ttls.length > 0) age(entry, output, to, now)
    this.cookieAt = entry.cookieAt === 0 ? 0 : to + entry.cookieAt
    this.profile = entry.profile
    return reply.length
  }

  /** Keeps the reply to `question` (a packet). */
  keep(space: number, question: Buffer, kept: KeptReply): void {
    const key = this.#keyOf(space, question, 0, question.length)
    if (key === undefined || (this.#isMixedCase && !kept.anyCase)) return
    // A reply with a cookie is for those alone who sent one where it is found.
    if ((kept.cookieAt === 0) !== (this.askedCookieAt === 0)) return
    // The name that the terms are for is not below itself.
    if (kept.below && kept.below.labels < this.#labelCount) {
      this.#keepBelow(kept, kept.below)
      return
    }
    const known = this.#recent.get(key)
    if (known) {
      this.#recentCost -= known.cost
      this.#recent.delete(key)
    }
    this.#old.delete(key)
    const cost = kept.reply.length + 2 * kept.ttls.length + key.length + ENTRY_OVERHEAD
    if (cost > this.#halfBudget) return
    const own = copyOf(kept)
    // Questions in lower case get it as it is.
    if (this.#isMixedCase) this.#key.copy(own.reply, HEADER, KEY_HEAD, this.#keyNameEnd)
    this.#put(key, { ...own, turn: 0, cost })
  }

  #keepBelow(kept: KeptReply, { labels }: BelowTerms): void {
    if (this.#below.size >= MAX_BELOW) {
      this.#below.clear()
      this.#belowLabels = []
    }
    this.#below.set(this.#keyBelow(labels), copyOf(kept))
    if (!this.#belowLabels.includes(labels)) this.#belowLabels.push(labels)
  }

  /** For names that nobody has asked for before: the reply to all that is below one of the names that this one lies in. */
  #findBelow(input: Buffer, start: number, output: Buffer, to: number, now: number): number {
    if (!this.#isPlainType()) return 0
    for (const labels of this.#belowLabels) {
      if (labels >= this.#labelCount) continue
      const kept = this.#below.get(this.#keyBelow(labels))
      if (!kept || !this.#isRight(kept, now)) continue
      const { hash } = kept.below!
      if (hash !== undefined && this.#board.mayExist(this.#hashLabel(hash, this.#labelCount - labels - 1))) return 0
      return this.#isMixedCase && !kept.anyCase ? 0 : this.#writeBelow(kept, input, start, output, to)
    }
    return 0
  }

  /** The reply with another question in it: what follows moves, and what points into the question moves with it. */
  #writeBelow(kept: KeptReply, input: Buffer, start: number, output: Buffer, to: number): number {
    const { reply, serialAt } = kept
    const { pointers, questionEnd } = kept.below!
    // The root label, type, class.
    const end = this.#nameEnd + 5 - start
    const shift = end - questionEnd
    if (reply.length + shift > MAX_BELOW_REPLY) return 0
    reply.copy(output, to, 0, HEADER)
    output[to] = input[start]!
    output[to + 1] = input[start + 1]!
    input.copy(output, to + HEADER, start + HEADER, start + end)
    reply.copy(output, to + end, questionEnd)
    for (let index = 0; index < pointers.length; index++) {
      const at = pointers[index]!
      output.writeUInt16BE(reply.readUInt16BE(at) + shift, to + at + shift)
    }
    if (serialAt !== 0) output.writeUInt32BE(this.#board.tell(kept.serialCell), to + serialAt + shift)
    this.cookieAt = kept.cookieAt === 0 ? 0 : to + kept.cookieAt + shift
    this.profile = kept.profile
    return reply.length + shift
  }

  /** The key of the last `labels` labels of the question whose key was made last, for any type. */
  #keyBelow(labels: number): string {
    const key = this.#belowKey
    this.#key.copy(key, 0, 0, KEY_HEAD)
    const name = this.#labels[this.#labelCount - labels]!
    this.#key.copy(key, KEY_HEAD, name, this.#keyEnd)
    const type = KEY_HEAD + this.#keyNameEnd - name + 1
    key[type] = 0
    key[type + 1] = 0
    return key.latin1Slice(0, KEY_HEAD + this.#keyEnd - name)
  }

  #hashLabel(hash: number, label: number): number {
    const at = this.#labels[label]!
    let hashed = hash
    for (let index = at + 1; index <= at + this.#key[at]!; index++) hashed = hashByte(hashed, this.#key[index]!)
    return hashed
  }

  /** Of class IN, and of a type that a name that does not exist is asked for like any other. */
  #isPlainType(): boolean {
    const key = this.#key
    const at = this.#keyNameEnd + 1
    return key[at] === 0 && PLAIN_TYPES.has(key[at + 1]!) && key[at + 2] === 0 && key[at + 3] === 1
  }

  #put(key: string, entry: Entry): void {
    if (this.#recentCost + entry.cost > this.#halfBudget) {
      this.#old = this.#recent
      this.#recent = new Map()
      this.#recentCost = 0
    }
    this.#recent.set(key, entry)
    this.#recentCost += entry.cost
  }

  #isRight({ facts, until }: KeptReply, now: number): boolean {
    if (now >= until) return false
    for (let index = 0; index < facts.length; index += 2)
      if (this.#board.version(facts[index]!) !== facts[index + 1]) return false
    return true
  }

  /** Undefined: no plain question; the readable path judges it. */
  #keyOf(space: number, input: Buffer, start: number, length: number): string | undefined {
    if (!isPlain(input, start, length)) return undefined
    const key = this.#key
    key[0] = space
    key[1] = input[start + 2]!
    key[2] = input[start + 3]!
    key[3] = input[start + 11]!
    const end = start + length
    let at = start + HEADER
    let to = KEY_HEAD
    let isMixedCase = false
    let labels = 0
    for (let label = input[at]!; label !== 0; label = input[at]!) {
      if (label > 63 || at + label + 1 >= end) return undefined
      this.#labels[labels++] = to
      key[to++] = label
      for (const labelEnd = ++at + label; at < labelEnd; at++) {
        const byte = input[at]!
        // RFC 4343 §3: letters of ASCII alone.
        if (byte > 0x40 && byte < 0x5b) {
          isMixedCase = true
          key[to++] = byte | 0x20
        } else {
          key[to++] = byte
        }
      }
    }
    if (at - start - HEADER >= MAX_NAME) return undefined
    this.#nameEnd = at
    this.#keyNameEnd = to
    this.#labelCount = labels
    this.#isMixedCase = isMixedCase
    // The root label, type, class; then options, if there are any.
    const cookie = input[start + 11] === 1 && at + 5 + OPT_HEAD < end ? this.#findCookie(input, at + 5, end) : 0
    if (cookie < 0) return undefined
    this.askedCookieAt = cookie
    if (cookie > 0) {
      while (at < cookie) key[to++] = input[at++]!
      at += this.askedCookieLength
    }
    while (at < end) key[to++] = input[at++]!
    this.#keyEnd = to
    return key.latin1Slice(0, to)
  }

  /**
   * Where the first cookie is in the record at `at`, if that is an OPT; 0: nowhere; below 0: its options are not whole.
   * Its length is in the key, so what it was kept for had a length that a cookie may have.
   */
  #findCookie(input: Buffer, at: number, end: number): number {
    if (input[at] !== 0 || input.readUInt16BE(at + 1) !== OPT) return 0
    let cookie = 0
    let option = at + OPT_HEAD
    while (option + OPTION_HEAD <= end) {
      const length = input.readUInt16BE(option + 2)
      if (cookie === 0 && input.readUInt16BE(option) === COOKIE) {
        cookie = option + OPTION_HEAD
        this.askedCookieLength = length
      }
      option += OPTION_HEAD + length
    }
    return option === end ? cookie : -1
  }
}

/** The header's gate in short: a query (QR 0, opcode 0) with one question and, if any, additional records alone. */
const isPlain = (input: Buffer, start: number, length: number): boolean =>
  length >= HEADER + 5 &&
  length - HEADER + KEY_HEAD <= MAX_KEY &&
  (input[start + 2]! & 0xf8) === 0 &&
  input[start + 4] === 0 &&
  input[start + 5] === 1 &&
  (input[start + 6]! | input[start + 7]! | input[start + 8]! | input[start + 9]! | input[start + 10]!) === 0

/**
 * What came from another thread, or from Node's pool of small buffers, is a view of far more memory than its own: 64 KiB
 * for a reply of 100 bytes.
 */
const copyOf = (kept: KeptReply): KeptReply => {
  const reply = Buffer.allocUnsafeSlow(kept.reply.length)
  kept.reply.copy(reply)
  return { ...kept, reply }
}

/** The addresses in the order that follows the last one's: each is first as often as the others. */
const takeTurn = (entry: Entry, output: Buffer, to: number): void => {
  const { reply, turnsAt, turnsSize, turnsCount } = entry
  entry.turn = (entry.turn + 1) % turnsCount
  const first = turnsAt + entry.turn * turnsSize
  const end = turnsAt + turnsCount * turnsSize
  const moved = reply.copy(output, to + turnsAt, first, end)
  reply.copy(output, to + turnsAt + moved, turnsAt, first)
}

/** RFC 1035 §3.2.1: a TTL is the time that the record may still be kept. In the output: it has moved with its record. */
const age = ({ ttls, keptAt }: Entry, output: Buffer, to: number, now: number): void => {
  const seconds = Math.floor((now - keptAt) / 1000)
  if (seconds <= 0) return
  for (let index = 0; index < ttls.length; index++) {
    const at = to + ttls[index]!
    output.writeUInt32BE(Math.max(0, output.readUInt32BE(at) - seconds), at)
  }
}
