/**
 * The memo: finished replies by the bytes of their questions. Runs once per packet: bytes in, bytes out, no decoding, no
 * allocation.
 *
 * A reply is kept only where the resolver said that it rests on nothing but the question, its flags and EDNS, and on
 * facts whose versions are kept with it (lib/change-board.ts). So a hit is what the readable path (resolver/resolve.ts)
 * would answer at this moment, but for the id, the order of addresses and the spelling, which are the client's, and for a
 * DNS cookie, which is the caller's to write.
 */
import { ChangeBoard, type SharedBoard } from '#lib/change-board.ts'
import type { BelowTerms, KeptReply } from './kept-reply.ts'
import { Key, QuestionKey } from './question-key.hot.ts'
import { Field, ReplyTable } from './reply-table.hot.ts'
import { copyBytes } from './words.hot.ts'

const HEADER = 12

/** Bytes for names below which nothing exists. They are few: namespaces, and what search lists put before a zone. */
const BELOW_SIZE = 1024 * 1024
/** RFC 1035 §4.2.1: every client takes so much over UDP. */
const MAX_BELOW_REPLY = 512
/** RFC 1035 §3.1: a name of 255 bytes has at most so many. */
const MAX_LABELS = 127

export class Answers {
  /** The profile of the last hit. */
  profile = 0
  /** Where the last hit wants its cookie, in the output; 0: it has none. */
  cookieAt = 0
  readonly #board: ChangeBoard
  /** Replies that were asked for lately. When it is full, it becomes the old one, and what was old and not asked for goes. */
  #recent: ReplyTable
  #old: ReplyTable
  /** Replies to all names below some name, by that name. */
  readonly #below = new ReplyTable(BELOW_SIZE)
  /** How many labels the names in `#below` have. */
  #belowLabels: number[] = []
  readonly #question = new QuestionKey()
  readonly #belowKey = new Key()
  /**
   * By the number of labels of a question: below how many of its last labels a name like this was found not to exist, so
   * that the next one is looked for there first; 0: its own reply was found. Search lists put the same zones behind names of
   * the same form.
   */
  readonly #guesses = new Uint8Array(MAX_LABELS + 1)
  /** Where questions were read and replies written last: their memory is seldom another one. */
  #input: Buffer = Buffer.alloc(0)
  #inputView = viewOf(this.#input)
  #output = this.#input
  #outputView = this.#inputView

  /** `budget`: bytes that may be kept. */
  constructor(board: SharedBoard, budget: number) {
    this.#board = new ChangeBoard(board)
    this.#recent = new ReplyTable(budget / 2)
    this.#old = new ReplyTable(budget / 2)
  }

  /** Of the last question: where the client's cookie is in the input, and how long. */
  get askedCookieAt(): number {
    return this.#question.cookieAt
  }

  get askedCookieLength(): number {
    return this.#question.cookieLength
  }

  /**
   * Writes the reply to the packet in `input` at `start` to `output` at `to`. Its length; 0: ask the readable path. `space`:
   * the number of the listener that it came in by, below 256. `now` in milliseconds, on the scale of `until`. Fastest where
   * `input` and `output` are the same from question to question.
   */
  find(space: number, input: Buffer, start: number, length: number, output: Buffer, to: number, now: number): number {
    this.#useInput(input)
    if (output !== this.#output) {
      this.#output = output
      this.#outputView = viewOf(output)
    }
    const question = this.#question
    if (!question.read(space, input, this.#inputView, start, length)) return 0
    const guess = this.#guesses[question.labelCount]!
    if (guess > 0) {
      const below = this.#findBelow(guess, start, to, now)
      if (below > 0) return below
    }
    question.seal()
    let table = this.#recent
    let record = table.find(question)
    if (record === 0) {
      table = this.#old
      record = table.find(question)
      if (record === 0) return this.#findAnyBelow(guess, start, to, now)
    }
    if (guess > 0) this.#guesses[question.labelCount] = 0
    if (!this.#isRight(table, record, now)) return 0
    const { words } = table
    if (question.isMixedCase && words[record + Field.anyCase] === 0) return 0
    const replyLength = this.#write(table, record, start, to, now)
    // What is asked for stays; if the last one has no room any more, it is asked for again.
    if (table === this.#old && !this.#recent.take(question, table, record)) this.#turnOver()
    return replyLength
  }

  #useInput(input: Buffer): void {
    if (input === this.#input) return
    this.#input = input
    this.#inputView = viewOf(input)
  }

  #write(table: ReplyTable, record: number, start: number, to: number, now: number): number {
    const { words } = table
    const question = this.#question
    const output = this.#outputView
    const replyLength = words[record + Field.replyLength]!
    copyBytes(table.view, 4 * table.replyOf(record), output, to, replyLength)
    output.setUint16(to, this.#inputView.getUint16(start))
    if (question.isMixedCase) copyBytes(this.#inputView, start + HEADER, output, to + HEADER, question.nameEnd - HEADER)
    if (words[record + Field.turnsCount]! > 1) takeTurn(table, record, output, to)
    const serialAt = words[record + Field.serialAt]!
    if (serialAt !== 0) output.setUint32(to + serialAt, this.#board.tell(words[record + Field.serialCell]!))
    if (words[record + Field.ttlCount]! > 0) age(table, record, output, to, now)
    const cookieAt = words[record + Field.cookieAt]!
    this.cookieAt = cookieAt === 0 ? 0 : to + cookieAt
    this.profile = words[record + Field.profile]!
    return replyLength
  }

  /** Keeps the reply to `packet`, a question. */
  keep(space: number, packet: Buffer, kept: KeptReply): void {
    const question = this.#question
    this.#useInput(packet)
    if (!question.read(space, packet, this.#inputView, 0, packet.length)) return
    if (question.isMixedCase && !kept.anyCase) return
    // A reply with a cookie is for those alone who sent one where it is found.
    if ((kept.cookieAt === 0) !== (question.cookieAt === 0)) return
    // The name that the terms are for is not below itself.
    if (kept.below && kept.below.labels < question.labelCount) {
      this.#keepBelow(kept, kept.below)
      return
    }
    question.seal()
    this.#old.forget(question)
    if (!this.#recent.put(question, kept)) {
      this.#turnOver()
      if (!this.#recent.put(question, kept)) return
    }
    // Questions in lower case get it as it is.
    if (question.isMixedCase)
      question.writeName(this.#recent.bytes, 4 * this.#recent.replyOf(this.#recent.find(question)))
  }

  #keepBelow(kept: KeptReply, { labels }: BelowTerms): void {
    this.#question.makeBelow(this.#belowKey, labels)
    if (!this.#below.put(this.#belowKey, kept)) {
      this.#below.clear()
      this.#belowLabels = []
      if (!this.#below.put(this.#belowKey, kept)) return
    }
    if (!this.#belowLabels.includes(labels)) this.#belowLabels.push(labels)
  }

  #turnOver(): void {
    const spare = this.#old
    spare.clear()
    this.#old = this.#recent
    this.#recent = spare
  }

  /** For names that nobody has asked for before: the reply to all that is below one of the names that this one lies in. */
  #findAnyBelow(tried: number, start: number, to: number, now: number): number {
    for (const labels of this.#belowLabels) {
      if (labels === tried) continue
      const length = this.#findBelow(labels, start, to, now)
      if (length === 0) continue
      this.#guesses[this.#question.labelCount] = labels
      return length
    }
    return 0
  }

  /** The same of the name of its last `labels` labels. */
  #findBelow(labels: number, start: number, to: number, now: number): number {
    const question = this.#question
    if (labels >= question.labelCount || !question.isPlainType()) return 0
    const table = this.#below
    question.makeBelow(this.#belowKey, labels)
    const record = table.find(this.#belowKey)
    if (record === 0 || !this.#isRight(table, record, now)) return 0
    const { words } = table
    if (words[record + Field.hasBelowHash] !== 0) {
      const hash = question.hashLeftOf(labels, words[record + Field.belowHash]!)
      if (this.#board.mayExist(hash)) return 0
    }
    if (question.isMixedCase && words[record + Field.anyCase] === 0) return 0
    return this.#writeBelow(record, start, to)
  }

  /** The reply with another question in it: what follows moves, and what points into the question moves with it. */
  #writeBelow(record: number, start: number, to: number): number {
    const { words, view } = this.#below
    const output = this.#outputView
    const questionEnd = words[record + Field.questionEnd]!
    const replyLength = words[record + Field.replyLength]!
    // The root label, type, class.
    const end = this.#question.nameEnd + 5
    const shift = end - questionEnd
    if (replyLength + shift > MAX_BELOW_REPLY) return 0
    const reply = 4 * this.#below.replyOf(record)
    copyBytes(this.#inputView, start, output, to, end)
    // What is not the id nor the question.
    copyBytes(view, reply + 2, output, to + 2, HEADER - 2)
    copyBytes(view, reply + questionEnd, output, to + end, replyLength - questionEnd)
    const pointers = this.#below.pointersOf(record)
    for (let index = 0; index < words[record + Field.pointerCount]!; index++) {
      const at = to + words[pointers + index]! + shift
      output.setUint16(at, output.getUint16(at) + shift)
    }
    const serialAt = words[record + Field.serialAt]!
    if (serialAt !== 0) output.setUint32(to + serialAt + shift, this.#board.tell(words[record + Field.serialCell]!))
    const cookieAt = words[record + Field.cookieAt]!
    this.cookieAt = cookieAt === 0 ? 0 : to + cookieAt + shift
    this.profile = words[record + Field.profile]!
    return replyLength + shift
  }

  #isRight(table: ReplyTable, record: number, now: number): boolean {
    if (now >= table.times[(record + Field.until) >> 1]!) return false
    const { words } = table
    const facts = table.factsOf(record)
    const end = facts + words[record + Field.factCount]!
    for (let fact = facts; fact < end; fact += 2)
      if (this.#board.version(words[fact]!) !== words[fact + 1]) return false
    return true
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView => new DataView(buffer, byteOffset, byteLength)

/** The addresses in the order that follows the last one's: each is first as often as the others. */
const takeTurn = (table: ReplyTable, record: number, output: DataView, to: number): void => {
  const { words, view } = table
  const size = words[record + Field.turnsSize]!
  const count = words[record + Field.turnsCount]!
  const turn = (words[record + Field.turn]! + 1) % count
  words[record + Field.turn] = turn
  const at = words[record + Field.turnsAt]!
  const records = 4 * table.replyOf(record) + at
  const before = turn * size
  const behind = size * count - before
  copyBytes(view, records + before, output, to + at, behind)
  copyBytes(view, records, output, to + at + behind, before)
}

/** RFC 1035 §3.2.1: a TTL is the time that the record may still be kept. In the output: it has moved with its record. */
const age = (table: ReplyTable, record: number, output: DataView, to: number, now: number): void => {
  const { words, times } = table
  const seconds = Math.floor((now - times[(record + Field.keptAt) >> 1]!) / 1000)
  if (seconds <= 0) return
  const ttls = table.ttlsOf(record)
  const end = ttls + words[record + Field.ttlCount]!
  for (let ttl = ttls; ttl < end; ttl++) {
    const at = to + words[ttl]!
    output.setUint32(at, Math.max(0, output.getUint32(at) - seconds))
  }
}
