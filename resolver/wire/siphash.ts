/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash of server cookies (RFC 9018 §4.4). Numbers of 64 bits are
 * pairs of 32, the low half first: BigInt is a hundred times slower.
 */
import assert from 'node:assert'

/** v0 to v3, then the word that is taken in. */
const state = new Uint32Array(8)

const add = (to: number, from: number): void => {
  const low = state[to]! + state[from]!
  state[to + 1] = state[to + 1]! + state[from + 1]! + (low > 0xffffffff ? 1 : 0)
  state[to] = low
}

/** Rotates `at` to the left by `bits` (below 32), then takes in `other`. */
const rotateXor = (at: number, bits: number, other: number): void => {
  const low = state[at]!
  const high = state[at + 1]!
  state[at] = ((low << bits) | (high >>> (32 - bits))) ^ state[other]!
  state[at + 1] = ((high << bits) | (low >>> (32 - bits))) ^ state[other + 1]!
}

/** A rotation by 32 bits. */
const swapHalves = (at: number): void => {
  const low = state[at]!
  state[at] = state[at + 1]!
  state[at + 1] = low
}

const V0 = 0
const V1 = 2
const V2 = 4
const V3 = 6

const round = (): void => {
  add(V0, V1)
  rotateXor(V1, 13, V0)
  swapHalves(V0)
  add(V2, V3)
  rotateXor(V3, 16, V2)
  add(V0, V3)
  rotateXor(V3, 21, V0)
  add(V2, V1)
  rotateXor(V1, 17, V2)
  swapHalves(V2)
}

const begin = (key: Buffer): void => {
  for (const [index, text] of [
    '736f6d6570736575',
    '646f72616e646f6d',
    '6c7967656e657261',
    '7465646279746573',
  ].entries()) {
    const half = (index % 2) * 8
    state[2 * index] = Number.parseInt(text.slice(8), 16) ^ key.readUInt32LE(half)
    state[2 * index + 1] = Number.parseInt(text.slice(0, 8), 16) ^ key.readUInt32LE(half + 4)
  }
}

const takeIn = (low: number, high: number): void => {
  state[V3] = state[V3]! ^ low
  state[V3 + 1] = state[V3 + 1]! ^ high
  round()
  round()
  state[V0] = state[V0]! ^ low
  state[V0 + 1] = state[V0 + 1]! ^ high
}

/** The hash, 8 bytes, of a message by a key of 16 bytes. */
export const sipHash = (key: Buffer, message: Buffer): Buffer => {
  assert(key.length === 16, 'a key of SipHash has 16 bytes')
  begin(key)
  const padded = Buffer.alloc(8 * (Math.floor(message.length / 8) + 1))
  message.copy(padded)
  padded[padded.length - 1] = message.length & 0xff
  for (let at = 0; at < padded.length; at += 8) takeIn(padded.readUInt32LE(at), padded.readUInt32LE(at + 4))
  state[V2] = state[V2]! ^ 0xff
  for (let count = 0; count < 4; count++) round()
  const hash = Buffer.alloc(8)
  hash.writeUInt32LE((state[V0]! ^ state[V1]! ^ state[V2]! ^ state[V3]!) >>> 0, 0)
  hash.writeUInt32LE((state[V0 + 1]! ^ state[V1 + 1]! ^ state[V2 + 1]! ^ state[V3 + 1]!) >>> 0, 4)
  return hash
}
