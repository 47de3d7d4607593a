/** Base 32 with the extended hexadecimal alphabet (RFC 4648 §7), without padding: hashes of NSEC3 (RFC 5155 §3.3). */

const ALPHABET = '0123456789abcdefghijklmnopqrstuv'

/** Any case; undefined: it is none. */
export const decodeBase32Hex = (text: string): Buffer | undefined => {
  const bytes: number[] = []
  let bits = 0
  let count = 0
  for (const character of text.toLowerCase()) {
    const value = ALPHABET.indexOf(character)
    if (value < 0) return undefined
    bits = ((bits << 5) | value) & 0xfff
    count += 5
    if (count >= 8) {
      count -= 8
      bytes.push((bits >> count) & 0xff)
    }
  }
  // Bits that are left over are zero, and fewer than a character's.
  return count < 5 && (bits & ((1 << count) - 1)) === 0 ? Buffer.from(bytes) : undefined
}

export const encodeBase32Hex = (bytes: Buffer): string => {
  let text = ''
  let bits = 0
  let count = 0
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff
    count += 8
    while (count >= 5) {
      count -= 5
      text += ALPHABET[(bits >> count) & 31]
    }
  }
  return count > 0 ? text + ALPHABET[(bits << (5 - count)) & 31] : text
}
