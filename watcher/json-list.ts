/**
 * A Kubernetes list, `{…, "items": [{…}, {…}], …}`, out of a byte stream: each item is decoded and handed on as soon
 * as its last byte is there, and its bytes are let go. What stands around the items comes with `end`. Only the
 * brackets are read here; `JSON.parse` judges everything else.
 */
import { BadStreamError, MAXIMUM_OBJECT } from './json-lines.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** Where the scanner is: around the items, before the value of `items`, between two items, inside one. */
type Place = 'around' | 'value' | 'between' | 'item'

export class JsonList {
  readonly #onItem: (item: unknown) => void
  readonly #maximum: number
  #place: Place = 'around'
  #depth = 0
  #inText = false
  #escaped = false
  /** The last text at depth 1, for telling the key `items`; only its first bytes matter. */
  #key = ''
  #pieces: Buffer[] = []
  #held = 0
  #envelope: Buffer[] = []
  #envelopeLength = 0

  constructor(onItem: (item: unknown) => void, maximum = MAXIMUM_OBJECT) {
    this.#onItem = onItem
    this.#maximum = maximum
  }

  /** Throws BadStreamError; what `onItem` throws passes through. */
  push(chunk: Buffer): void {
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (this.#inText) {
        this.#text(byte)
        continue
      }
      const before = this.#place
      this.#step(byte)
      if (this.#place === before) continue
      // `[` and `]` of the items belong to the envelope, an item's braces to the item, commas between to nobody.
      if (before === 'around') continue
      if (before === 'value') {
        if (this.#place === 'between') start = this.#keep(chunk.subarray(start, at + 1), at + 1)
      } else if (before === 'item') {
        this.#item(chunk.subarray(start, at + 1))
        start = at + 1
      } else {
        start = at
      }
    }
    this.#rest(chunk.subarray(start))
  }

  /** What stands around the items, with `items: []`. Throws BadStreamError when the list is not whole. */
  end(): unknown {
    if (this.#place !== 'around' || this.#depth !== 0) throw new BadStreamError('the list ends in its middle')
    return parse(Buffer.concat(this.#envelope).toString('utf8'), 'the list')
  }

  #text(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === BACKSLASH) this.#escaped = true
    else if (byte === QUOTE) {
      this.#inText = false
      return
    }
    if (this.#depth === 1 && this.#key.length < 8) this.#key += String.fromCharCode(byte)
  }

  #step(byte: number): void {
    if (this.#place === 'value' || this.#place === 'between') {
      if (isSpace(byte) || (byte === COMMA && this.#place === 'between')) return
      this.#place = this.#place === 'value' ? valueAt(byte) : betweenAt(byte)
    }
    if (byte === QUOTE) {
      this.#inText = true
      this.#key = ''
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      this.#depth++
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      this.#depth--
      if (this.#place === 'item' && this.#depth === 2) this.#place = 'between'
    } else if (byte === COLON && this.#depth === 1 && this.#place === 'around' && this.#key === 'items') {
      this.#place = 'value'
    }
  }

  #item(last: Buffer): void {
    this.#hold(last.length)
    const whole = this.#pieces.length === 0 ? last : Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#held = 0
    this.#onItem(parse(whole.toString('utf8'), 'an item of the list'))
  }

  #rest(bytes: Buffer): void {
    if (this.#place === 'item') {
      this.#hold(bytes.length)
      this.#pieces.push(bytes)
    } else if (this.#place !== 'between') {
      this.#keep(bytes, 0)
    }
  }

  #keep(bytes: Buffer, next: number): number {
    this.#envelopeLength += bytes.length
    if (this.#envelopeLength > this.#maximum) throw new BadStreamError(`the list is longer than ${this.#maximum} bytes`)
    this.#envelope.push(Buffer.from(bytes))
    return next
  }

  #hold(bytes: number): void {
    this.#held += bytes
    if (this.#held > this.#maximum) throw new BadStreamError(`an item is longer than ${this.#maximum} bytes`)
  }
}

/** `items: null` is how Go writes an empty list that was never made. */
const valueAt = (byte: number): Place => (byte === OPEN_ARRAY ? 'between' : 'around')

const betweenAt = (byte: number): Place => {
  if (byte === CLOSE_ARRAY) return 'around'
  if (byte === OPEN_OBJECT) return 'item'
  throw new BadStreamError('an item of the list is no object')
}

const parse = (text: string, what: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new BadStreamError(`${what} is no JSON`, { cause })
  }
}
