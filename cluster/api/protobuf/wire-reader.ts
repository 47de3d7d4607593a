/** The bytes of a protobuf message (Protocol Buffers, "Encoding"), read field by field; bytes that are none throw. */

/** What makes a body no protobuf: caught where the body is decoded. */
export class MalformedMessage extends Error {}

export type WireValue =
  | { readonly wire: 'varint'; readonly value: bigint }
  | { readonly wire: 'fixed64'; readonly value: Buffer }
  | { readonly wire: 'bytes'; readonly value: Buffer }

export interface WireEntry {
  readonly number: number
  readonly value: WireValue
}

/** Bytes of a 64-bit varint: nine of seven bits and one more. */
const MAX_VARINT = 10

class Reader {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return this.#offset >= this.#bytes.length
  }

  varint(): bigint {
    let value = 0n
    for (let index = 0; index < MAX_VARINT; index++) {
      const byte = this.#bytes[this.#offset++]
      if (byte === undefined) throw new MalformedMessage('unexpected EOF')
      value |= BigInt(byte & 0x7f) << BigInt(7 * index)
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new MalformedMessage('integer overflow')
  }

  take(length: number): Buffer {
    const end = this.#offset + length
    if (end > this.#bytes.length) throw new MalformedMessage('unexpected EOF')
    const taken = this.#bytes.subarray(this.#offset, end)
    this.#offset = end
    return taken
  }
}

/** All fields in order. 32-bit ones (wire type 5) stand nowhere in the API; they are passed over, as unknown ones are. */
export const readMessage = (bytes: Buffer): WireEntry[] => {
  const reader = new Reader(bytes)
  const entries: WireEntry[] = []
  while (!reader.ended) {
    const tag = reader.varint()
    const number = Number(tag >> 3n)
    switch (Number(tag & 7n)) {
      case 0:
        entries.push({ number, value: { wire: 'varint', value: reader.varint() } })
        break
      case 1:
        entries.push({ number, value: { wire: 'fixed64', value: reader.take(8) } })
        break
      case 2:
        entries.push({ number, value: { wire: 'bytes', value: reader.take(Number(reader.varint())) } })
        break
      case 5:
        reader.take(4)
        break
      default:
        throw new MalformedMessage(`wire type ${tag & 7n} is not known`)
    }
  }
  return entries
}

export const bytesOf = (value: WireValue): Buffer => {
  if (value.wire !== 'bytes') throw new MalformedMessage('a length-delimited field was expected')
  return value.value
}

export const integerOf = (value: WireValue): bigint => {
  if (value.wire !== 'varint') throw new MalformedMessage('a varint field was expected')
  return BigInt.asIntN(64, value.value)
}

/** UTF-8; other bytes become U+FFFD, as in JSON bodies. */
export const textOf = (value: WireValue): string => bytesOf(value).toString('utf8')
