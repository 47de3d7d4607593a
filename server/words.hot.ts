/**
 * Bytes four at a time, wherever they begin: a view's words need not lie at multiples of 4. All words are little-endian.
 */

const HIGH_BITS = 0x80808080 | 0
const LOW_BITS = 0x7f7f7f7f
/** Added to a byte below 0x80, these set its high bit from 'A' on, and behind 'Z'. */
const FROM_A = 0x3f3f3f3f
const BEHIND_Z = 0x25252525

/** Writes `length` bytes and not one more. */
export const copyBytes = (source: DataView, from: number, target: DataView, to: number, length: number): void => {
  const whole = length & ~3
  let index = 0
  for (; index < whole; index += 4) target.setInt32(to + index, source.getInt32(from + index, true), true)
  for (; index < length; index++) target.setUint8(to + index, source.getUint8(from + index))
}

/** Each byte of a word that is a capital letter of ASCII as a small one (RFC 4343 §3: no other letters are meant). */
export const lowerCase = (word: number): number => {
  const low = word & LOW_BITS
  const isCapital = (low + FROM_A) & ~(low + BEHIND_Z) & ~word & HIGH_BITS
  // From bit 7 to bit 5, which tells small letters from capitals.
  return word | (isCapital >>> 2)
}

export const lowerCaseByte = (byte: number): number => (byte > 0x40 && byte < 0x5b ? byte | 0x20 : byte)
