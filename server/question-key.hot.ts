/**
 * The key of a question: bytes that are the same for all questions that one reply fits. Made once per packet, in memory
 * that is made once.
 *
 * What is in it: the listener's number, the header's flags, whether there is an additional record, the name in lower
 * case, and all that follows it as it is (type, class, OPT with its size, DO and options) but the bytes of a DNS cookie.
 */
import { hashByte } from '#lib/change-board.ts'
import { copyBytes, lowerCase, lowerCaseByte } from './words.hot.ts'

const HEADER = 12
/** RFC 1035 §3.1: longest name, in bytes. */
const MAX_NAME = 255
/** Before the name: the listener, flags, count. */
const KEY_HEAD = 4
/** Name, type, class, and an OPT with small options. Longer questions go the readable way. */
const MAX_KEY = KEY_HEAD + MAX_NAME + 4 + 64

/** A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, SVCB, HTTPS. */
const PLAIN_TYPES: ReadonlySet<number> = new Set([1, 2, 5, 6, 12, 15, 16, 28, 33, 64, 65])

/** RFC 6891 §6.1.2: owner, TYPE, CLASS, TTL, RDLENGTH; each option has a code and a length before its data. */
const OPT = 41
const OPT_HEAD = 11
const OPTION_HEAD = 4
/** RFC 7873 §4. */
const COOKIE = 10

/** Nobody outside can tell which questions fall on one slot. (A worker that loads Node's crypto for this starts 8 ms later.) */
const SEED = (Math.random() * 2 ** 32) | 0

/** Bytes with their hash: what a table looks for. */
export class Key {
  readonly bytes = new Uint8Array(Math.ceil(MAX_KEY / 4) * 4)
  /** The same memory; what is behind the last byte in the last word is zero. */
  readonly words = new Int32Array(this.bytes.buffer)
  readonly view = new DataView(this.bytes.buffer)
  length = 0
  hash = 0

  /** Before a table is asked for it: the bytes until `length` are the key. */
  seal(): void {
    const { bytes, words, length } = this
    for (let at = length; (at & 3) !== 0; at++) bytes[at] = 0
    let hash = SEED
    for (let word = 0; word < (length + 3) >> 2; word++) {
      hash = Math.imul(hash ^ words[word]!, 0x85ebca6b)
      hash ^= hash >>> 15
    }
    this.hash = hash
  }
}

export class QuestionKey extends Key {
  isMixedCase = false
  labelCount = 0
  /** Where the name ends, at its root label: in the packet, counted from its start, and in the key. */
  nameEnd = 0
  /** Where the client's cookie is in the packet's memory, and how long it is; 0: there is none. */
  cookieAt = 0
  cookieLength = 0
  #keyNameEnd = 0
  /** Where the labels begin in the key. */
  readonly #labels = new Uint16Array(MAX_NAME)

  /** Not sealed yet. False: no plain question; the readable path judges it. `view`: the memory of `input`. */
  read(space: number, input: Uint8Array, view: DataView, start: number, length: number): boolean {
    if (!isPlain(input, start, length)) return false
    const end = start + length
    if (!this.#findName(input, start, end)) return false
    const { bytes } = this
    bytes[0] = space
    bytes[1] = input[start + 2]!
    bytes[2] = input[start + 3]!
    bytes[3] = input[start + 11]!
    this.#copyName(view, start + HEADER)
    let at = start + this.nameEnd
    let to = this.#keyNameEnd
    this.cookieAt = 0
    // The root label, type, class; then options, if there are any.
    if (input[start + 11] === 1 && at + 5 + OPT_HEAD < end) {
      if (!this.#findCookie(input, at + 5, end)) return false
      if (this.cookieAt > 0) {
        const before = this.cookieAt - at
        copyBytes(view, at, this.view, to, before)
        to += before
        at += before + this.cookieLength
      }
    }
    copyBytes(view, at, this.view, to, end - at)
    this.length = to + end - at
    return true
  }

  #findName(input: Uint8Array, start: number, end: number): boolean {
    let at = start + HEADER
    let labels = 0
    for (let label = input[at]!; label !== 0; label = input[at]!) {
      if (label > 63 || at + label + 1 >= end) return false
      this.#labels[labels++] = at - start - HEADER + KEY_HEAD
      at += label + 1
    }
    this.nameEnd = at - start
    this.#keyNameEnd = this.nameEnd - HEADER + KEY_HEAD
    this.labelCount = labels
    return this.nameEnd - HEADER < MAX_NAME
  }

  /** In lower case, with the lengths of its labels, which are no letters. */
  #copyName(view: DataView, from: number): void {
    const key = this.view
    const end = from + this.nameEnd - HEADER
    let at = from
    let to = KEY_HEAD
    let changed = 0
    for (; at + 4 <= end; at += 4, to += 4) {
      const word = view.getInt32(at, true)
      const lower = lowerCase(word)
      changed |= word ^ lower
      key.setInt32(to, lower, true)
    }
    for (; at < end; at++, to++) {
      const byte = view.getUint8(at)
      const lower = lowerCaseByte(byte)
      changed |= byte ^ lower
      key.setUint8(to, lower)
    }
    this.isMixedCase = changed !== 0
  }

  /**
   * Finds the first cookie in the record at `at`, if that is an OPT. False: its options are not whole. The cookie's length
   * is in the key, so what a reply was kept for had a length that a cookie may have.
   */
  #findCookie(input: Uint8Array, at: number, end: number): boolean {
    if (input[at] !== 0 || word(input, at + 1) !== OPT) return true
    let option = at + OPT_HEAD
    while (option + OPTION_HEAD <= end) {
      const length = word(input, option + 2)
      if (this.cookieAt === 0 && word(input, option) === COOKIE) {
        this.cookieAt = option + OPTION_HEAD
        this.cookieLength = length
      }
      option += OPTION_HEAD + length
    }
    return option === end
  }

  /** Of class IN, and of a type that a name that does not exist is asked for like any other. */
  isPlainType(): boolean {
    const { bytes } = this
    const at = this.#keyNameEnd + 1
    return bytes[at] === 0 && PLAIN_TYPES.has(bytes[at + 1]!) && bytes[at + 2] === 0 && bytes[at + 3] === 1
  }

  /** Writes the name in lower case over that of the packet that begins at `start`. */
  writeName(packet: Uint8Array, start: number): void {
    packet.set(this.bytes.subarray(KEY_HEAD, this.#keyNameEnd), start + HEADER)
  }

  /** Makes `key` that of the last `labels` labels, for any type. */
  makeBelow(key: Key, labels: number): void {
    const name = this.#labels[this.labelCount - labels]!
    key.words[0] = this.words[0]!
    copyBytes(this.view, name, key.view, KEY_HEAD, this.length - name)
    const type = KEY_HEAD + this.#keyNameEnd - name + 1
    key.bytes[type] = 0
    key.bytes[type + 1] = 0
    key.length = KEY_HEAD + this.length - name
    key.seal()
  }

  /** `hash` with the label that is left of the last `labels` labels added to it (lib/change-board.ts). */
  hashLeftOf(labels: number, hash: number): number {
    const { bytes } = this
    const at = this.#labels[this.labelCount - labels - 1]!
    let hashed = hash
    for (let index = at + 1; index <= at + bytes[at]!; index++) hashed = hashByte(hashed, bytes[index]!)
    return hashed
  }
}

/** 16 bits. */
const word = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!

/** The header's gate in short: a query (QR 0, opcode 0) with one question and, if any, additional records alone. */
const isPlain = (input: Uint8Array, start: number, length: number): boolean =>
  length >= HEADER + 5 &&
  length - HEADER + KEY_HEAD <= MAX_KEY &&
  (input[start + 2]! & 0xf8) === 0 &&
  input[start + 4] === 0 &&
  input[start + 5] === 1 &&
  (input[start + 6]! | input[start + 7]! | input[start + 8]! | input[start + 9]! | input[start + 10]!) === 0
