/** The parts that the data of signed zones is written in (RFC 4034, RFC 5155). */
import { accepted, type Result, refused } from '#lib/result.ts'
import { decodeBase32Hex, encodeBase32Hex } from './base32hex.ts'
import { parseType, typeName } from './codes.ts'
import { bigEndian, type PresentationField, readNumber, single, type Words } from './presentation-fields.ts'

/** DNS Security Algorithm Numbers (IANA); RFC 4034 §A.1 lets them be written by name. */
const algorithms: Readonly<Record<string, number>> = {
  DELETE: 0,
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  'DSA-NSEC3-SHA1': 6,
  'RSASHA1-NSEC3-SHA1': 7,
  RSASHA256: 8,
  RSASHA512: 10,
  'ECC-GOST': 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
}

const algorithm: PresentationField = {
  read: single('an algorithm', ({ text }) => {
    const known = algorithms[text.toUpperCase()]
    const number = known === undefined ? readNumber(text, 255) : accepted(known)
    return number.ok ? accepted(bigEndian(number.value, 1)) : refused(`"${text}" is not an algorithm of DNSSEC`)
  }),
  write: (data, at) => (at < data.length ? { text: String(data[at]), end: at + 1 } : undefined),
}

const type: PresentationField = {
  read: single('a record type', ({ text }) => {
    const number = parseType(text)
    return number === undefined ? refused(`"${text}" is not a record type`) : accepted(bigEndian(number, 2))
  }),
  write: (data, at) => (at + 2 <= data.length ? { text: typeName(data.readUInt16BE(at)), end: at + 2 } : undefined),
}

/** RFC 4034 §3.2: `YYYYMMDDHHmmSS` in UTC, or seconds since 1970, modulo 2^32. */
const readTime = (text: string): number | undefined => {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.map(Number) ?? []
  if (year === undefined) {
    const seconds = readNumber(text, 0xffffffff)
    return seconds.ok ? seconds.value : undefined
  }
  const time = new Date(Date.UTC(year, month! - 1, day, hour, minute, second))
  return formatTime(time) === text ? (time.getTime() / 1000) >>> 0 : undefined
}

const formatTime = (time: Date): string => time.toISOString().slice(0, 19).replace(/\D/g, '')

const time: PresentationField = {
  read: single('a time', ({ text }) => {
    const seconds = readTime(text)
    return seconds === undefined
      ? refused(`"${text}" is not a time like 20310131235959`)
      : accepted(bigEndian(seconds, 4))
  }),
  // Up to 2106: who says which turn of the 32 bits is meant (RFC 4034 §3.1.5) is who reads.
  write: (data, at) =>
    at + 4 <= data.length ? { text: formatTime(new Date(data.readUInt32BE(at) * 1000)), end: at + 4 } : undefined,
}

/** Types as windows of bits (RFC 4034 §4.1.2). */
const encodeTypes = (types: ReadonlySet<number>): Buffer => {
  const windows = Map.groupBy(
    [...types].sort((left, right) => left - right),
    number => number >> 8,
  )
  const parts = [...windows].map(([window, members]) => {
    const bits = Buffer.alloc((members.at(-1)! & 0xff) / 8 + 1)
    for (const number of members) bits[(number & 0xff) >> 3]! |= 0x80 >> (number & 7)
    return Buffer.concat([Buffer.from([window, bits.length]), bits])
  })
  return Buffer.concat(parts)
}

const readTypes = (words: Words): Result<Buffer, string> => {
  const types = new Set<number>()
  for (const { text } of words.takeRest()) {
    const number = parseType(text)
    if (number === undefined) return refused(`"${text}" is not a record type`)
    types.add(number)
  }
  return accepted(encodeTypes(types))
}

/** Undefined: windows that are out of order, empty or cut off. */
const decodeTypes = (data: Buffer, start: number): number[] | undefined => {
  const types: number[] = []
  let last = -1
  for (let at = start; at < data.length; ) {
    const window = data[at]!
    const length = data[at + 1] ?? 0
    const end = at + 2 + length
    if (window <= last || length < 1 || length > 32 || end > data.length) return undefined
    for (let bit = 0; bit < 8 * length; bit++)
      if (data[at + 2 + (bit >> 3)]! & (0x80 >> (bit & 7))) types.push(256 * window + bit)
    last = window
    at = end
  }
  return types
}

/** All types to the end; none is none. */
const types: PresentationField = {
  read: readTypes,
  write(data, at) {
    const list = decodeTypes(data, at)
    return list && { text: list.map(typeName).join(' '), end: data.length }
  },
}

const withLength = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length]), bytes])

const bytesAt = (data: Buffer, at: number): Buffer | undefined => {
  const end = at + 1 + (data[at] ?? 0)
  return at < data.length && end <= data.length ? data.subarray(at + 1, end) : undefined
}

/** RFC 5155 §3.3: hexadecimal, or `-` for none. */
const salt: PresentationField = {
  read: single('a salt', ({ text }) => {
    if (text === '-') return accepted(Buffer.from([0]))
    return /^(?:[\da-f]{2}){1,255}$/i.test(text)
      ? accepted(withLength(Buffer.from(text, 'hex')))
      : refused(`"${text}" is not a salt (pairs of hexadecimal digits, or "-")`)
  }),
  write(data, at) {
    const bytes = bytesAt(data, at)
    return bytes && { text: bytes.length === 0 ? '-' : bytes.toString('hex').toUpperCase(), end: at + 1 + bytes.length }
  },
}

/** RFC 5155 §3.3: Base 32. */
const hash: PresentationField = {
  read: single('a hash', ({ text }) => {
    const bytes = decodeBase32Hex(text)
    return bytes && bytes.length > 0 && bytes.length <= 255
      ? accepted(withLength(bytes))
      : refused(`"${text}" is not a hash in Base 32 (0–9, A–V)`)
  }),
  write(data, at) {
    const bytes = bytesAt(data, at)
    return bytes && bytes.length > 0
      ? { text: encodeBase32Hex(bytes).toUpperCase(), end: at + 1 + bytes.length }
      : undefined
  },
}

export const dnssecFields = { algorithm, type, time, types, salt, hash } as const
