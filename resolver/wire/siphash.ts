/**
 * SipHash-2-4 (Aumasson and Bernstein, 2012), the keyed hash of server cookies (RFC 9018 §4.4). Numbers of 64 bits are
 * pairs of 32, low half and high half: BigInt is a hundred times slower.
 */
import assert from 'node:assert'

const KEY_LENGTH = 16
const BLOCK = 8

/** Bytes of a message of this many with its padding: a last byte tells its length. */
const paddedLength = (length: number): number => BLOCK * (Math.floor(length / BLOCK) + 1)

/** The high half of the sum whose low half is `sum`: 1 if it went beyond 32 bits. */
const carry = (one: number, other: number, sum: number): number => ((one & other) | ((one | other) & ~sum)) >>> 31

/**
 * Writes the hash, 8 bytes, of the first `length` bytes of `message` by a key of 16 bytes to `to` at `at`. Behind them `message` has room for up to
 * eight bytes, which are written to. Makes nothing new.
 */
export const writeSipHash = (key: Buffer, message: Buffer, length: number, to: Buffer, at: number): void => {
  assert(key.length === KEY_LENGTH, 'a key of SipHash has 16 bytes')
  const end = paddedLength(length)
  for (let index = length; index < end - 1; index++) message[index] = 0
  message[end - 1] = length & 0xff
  // "somepseudorandomlygeneratedbytes"
  let low0 = 0x70736575 ^ key.readInt32LE(0)
  let high0 = 0x736f6d65 ^ key.readInt32LE(4)
  let low1 = 0x6e646f6d ^ key.readInt32LE(8)
  let high1 = 0x646f7261 ^ key.readInt32LE(12)
  let low2 = 0x6e657261 ^ key.readInt32LE(0)
  let high2 = 0x6c796765 ^ key.readInt32LE(4)
  let low3 = 0x79746573 ^ key.readInt32LE(8)
  let high3 = 0x74656462 ^ key.readInt32LE(12)
  // Two rounds for each block, four at the end.
  const rounds = end / 4
  for (let round = 0; round < rounds + 4; round++) {
    const block = (round >> 1) * BLOCK
    if (round === rounds) {
      low2 ^= 0xff
    } else if (round < rounds && (round & 1) === 0) {
      low3 ^= message.readInt32LE(block)
      high3 ^= message.readInt32LE(block + 4)
    }
    let sum = (low0 + low1) | 0
    high0 = (high0 + high1 + carry(low0, low1, sum)) | 0
    low0 = sum
    let low = ((low1 << 13) | (high1 >>> 19)) ^ low0
    high1 = ((high1 << 13) | (low1 >>> 19)) ^ high0
    low1 = low
    // A rotation by 32 bits.
    low = low0
    low0 = high0
    high0 = low
    sum = (low2 + low3) | 0
    high2 = (high2 + high3 + carry(low2, low3, sum)) | 0
    low2 = sum
    low = ((low3 << 16) | (high3 >>> 16)) ^ low2
    high3 = ((high3 << 16) | (low3 >>> 16)) ^ high2
    low3 = low
    sum = (low0 + low3) | 0
    high0 = (high0 + high3 + carry(low0, low3, sum)) | 0
    low0 = sum
    low = ((low3 << 21) | (high3 >>> 11)) ^ low0
    high3 = ((high3 << 21) | (low3 >>> 11)) ^ high0
    low3 = low
    sum = (low2 + low1) | 0
    high2 = (high2 + high1 + carry(low2, low1, sum)) | 0
    low2 = sum
    low = ((low1 << 17) | (high1 >>> 15)) ^ low2
    high1 = ((high1 << 17) | (low1 >>> 15)) ^ high2
    low1 = low
    low = low2
    low2 = high2
    high2 = low
    if (round < rounds && (round & 1) === 1) {
      low0 ^= message.readInt32LE(block)
      high0 ^= message.readInt32LE(block + 4)
    }
  }
  to.writeInt32LE(low0 ^ low1 ^ low2 ^ low3, at)
  to.writeInt32LE(high0 ^ high1 ^ high2 ^ high3, at + 4)
}
