/**
 * The parts that RDATA is written in (RFC 1035 §5.1): numbers, names, addresses, character-strings, hexadecimal, Base64.
 * A type's form is a list of them; see presentation.ts.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { accepted, type Result, refused } from '#lib/result.ts'
import { encodeName, joinName, nameLength, parseName, ROOT, readName, splitLabels } from './name.ts'
import { aaaaData, aData } from './rdata.ts'
import type { DnsName } from './record.ts'

export interface Word {
  readonly bytes: Buffer
  readonly quoted: boolean
  /** As it was written, quotes left out. */
  readonly text: string
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

export const quoteString = (string: Buffer): string => {
  let text = ''
  for (const byte of string) {
    if (byte === QUOTE || byte === BACKSLASH) text += `\\${String.fromCharCode(byte)}`
    else if (byte < 0x20 || byte > 0x7e) text += `\\${String(byte).padStart(3, '0')}`
    else text += String.fromCharCode(byte)
  }
  return `"${text}"`
}

const readEscapes = (text: string): Buffer => {
  if (!text.includes('\\')) return Buffer.from(text)
  const parts: Buffer[] = []
  for (const [part, decimal, character] of text.matchAll(/\\(\d{3})|\\(.)|[^\\]+/gsu)) {
    if (decimal !== undefined) parts.push(Buffer.from([Number(decimal) & 0xff]))
    else parts.push(Buffer.from(character ?? part))
  }
  return Buffer.concat(parts)
}

/** A word as it was written, quotes left out. */
export const makeWord = (text: string, quoted: boolean): Word => ({ text, quoted, bytes: readEscapes(text) })

export const splitWords = (text: string): Word[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+)/gs)].map(([, quoted, bare]) =>
    makeWord(quoted ?? bare ?? '', quoted !== undefined),
  )

/** A `DnsName` as a word: a quote would begin a string, a semicolon a comment, a parenthesis a group (RFC 1035 §5.1). */
export const nameText = (name: DnsName): string => name.replace(/["();]/g, '\\$&')

const isAbsolute = (text: string): boolean => text.endsWith('.') && /(?:^|[^\\])(?:\\\\)*\.$/.test(text)

/** A name of a zone file: `@` is the origin, and what has no final dot is below it. Without an origin all are absolute. */
export const readDomainName = (text: string, origin: DnsName | undefined): Result<DnsName, string> => {
  if (origin !== undefined && text === '@') return accepted(origin)
  const name = parseName(text)
  if (!name.ok || origin === undefined || origin === ROOT || isAbsolute(text)) return name
  const joined = joinName(splitLabels(name.value), origin)
  return nameLength(joined) <= 255 ? accepted(joined) : refused(`"${text}" with "${origin}" is longer than 255 bytes`)
}

/** The words of one record's data, taken from the front. */
export class Words {
  readonly #words: readonly Word[]
  readonly origin: DnsName | undefined
  #next = 0

  constructor(words: readonly Word[], origin: DnsName | undefined) {
    this.#words = words
    this.origin = origin
  }

  get isEmpty(): boolean {
    return this.#next >= this.#words.length
  }

  take(): Word | undefined {
    return this.#words[this.#next++]
  }

  takeRest(): readonly Word[] {
    const rest = this.#words.slice(this.#next)
    this.#next = this.#words.length
    return rest
  }
}

export interface Written {
  readonly text: string
  /** Where the next field starts. */
  readonly end: number
}

export interface PresentationField {
  readonly read: (words: Words) => Result<Buffer, string>
  /** Undefined: the data at `at` is not of this form. */
  readonly write: (data: Buffer, at: number) => Written | undefined
}

/** A field of one word. */
export const single = (what: string, read: (word: Word, origin: DnsName | undefined) => Result<Buffer, string>) => {
  return (words: Words): Result<Buffer, string> => {
    const word = words.take()
    return word ? read(word, words.origin) : refused(`${what} is missing`)
  }
}

export const readNumber = (text: string | undefined, maximum: number): Result<number, string> => {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return refused(`"${text ?? ''}" is not a number`)
  const number = Number(text)
  return number <= maximum ? accepted(number) : refused(`${number} is above ${maximum}`)
}

export const bigEndian = (number: number, size: number): Buffer => {
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeUIntBE(number, 0, size)
  return bytes
}

const writeUnsigned = (size: number) => (data: Buffer, at: number) =>
  at + size <= data.length ? { text: String(data.readUIntBE(at, size)), end: at + size } : undefined

const unsigned = (size: number): PresentationField => ({
  read: single('a number', ({ text }) => {
    const number = readNumber(text, 2 ** (8 * size) - 1)
    return number.ok ? accepted(bigEndian(number.value, size)) : number
  }),
  write: writeUnsigned(size),
})

const unitSeconds: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 }

/** Seconds, or as zone files write them too: `1h30m`, `2w`. Undefined: neither. */
export const parseSeconds = (text: string): number | undefined => {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  if (!/^(?:\d{1,10}[wdhms])+$/i.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.toLowerCase().matchAll(/(\d+)([wdhms])/g))
    total += Number(amount) * unitSeconds[unit!]!
  return total
}

const readAddress = (isAddress: (text: string) => boolean, encode: (text: string) => Buffer, what: string) =>
  single(`an ${what} address`, ({ text }) =>
    isAddress(text) ? accepted(encode(text)) : refused(`"${text}" is not an ${what} address`),
  )

const characterString = (bytes: Buffer): Result<Buffer, string> =>
  bytes.length > 255
    ? refused('a string is longer than 255 bytes')
    : accepted(Buffer.concat([Buffer.from([bytes.length]), bytes]))

/** The character-string at `at`. */
const stringAt = (data: Buffer, at: number): { readonly bytes: Buffer; readonly end: number } | undefined => {
  const length = data[at]
  if (length === undefined) return undefined
  const end = at + 1 + length
  return end <= data.length ? { bytes: data.subarray(at + 1, end), end } : undefined
}

const readStrings = (words: Words): Result<Buffer, string> => {
  if (words.isEmpty) return refused('a text is missing')
  const parts: Buffer[] = []
  for (const { bytes } of words.takeRest()) {
    const string = characterString(bytes)
    if (!string.ok) return string
    parts.push(string.value)
  }
  return accepted(Buffer.concat(parts))
}

const writeStrings = (data: Buffer, at: number): Written | undefined => {
  const texts: string[] = []
  let end = at
  while (end < data.length) {
    const string = stringAt(data, end)
    if (!string) return undefined
    texts.push(quoteString(string.bytes))
    end = string.end
  }
  return texts.length > 0 ? { text: texts.join(' '), end } : undefined
}

/** All words that are left, as the bytes that they stand for in `encoding`. */
const encoded = (encoding: 'hex' | 'base64', pattern: RegExp, what: string): PresentationField => ({
  read(words) {
    const text = words
      .takeRest()
      .map(word => word.text)
      .join('')
    return pattern.test(text) ? accepted(Buffer.from(text, encoding)) : refused(`"${text}" is not ${what}`)
  },
  write(data, at) {
    const text = data.toString(encoding, at)
    return at < data.length ? { text: encoding === 'hex' ? text.toUpperCase() : text, end: data.length } : undefined
  },
})

const hyphenated = (size: number): PresentationField => ({
  read: single('an EUI', ({ text }) =>
    new RegExp(`^[\\da-f]{2}(?:-[\\da-f]{2}){${size - 1}}$`, 'i').test(text)
      ? accepted(Buffer.from(text.replaceAll('-', ''), 'hex'))
      : refused(`"${text}" is not ${size} pairs of hexadecimal digits with hyphens between them`),
  ),
  write(data, at) {
    const pairs = data.toString('hex', at, at + size).match(/../g) ?? []
    return pairs.length === size ? { text: pairs.join('-'), end: at + size } : undefined
  },
})

export const fields = {
  u8: unsigned(1),
  u16: unsigned(2),
  u32: unsigned(4),
  /** RFC 7043 §3.2, §4.2: so many pairs of hexadecimal digits with hyphens between. */
  eui48: hyphenated(6),
  eui64: hyphenated(8),
  seconds: {
    read: single('a time', ({ text }) => {
      const seconds = parseSeconds(text)
      return seconds !== undefined && seconds <= 0xffffffff
        ? accepted(bigEndian(seconds, 4))
        : refused(`"${text}" is not a time in seconds (or like 1h30m)`)
    }),
    write: writeUnsigned(4),
  },
  ipv4: {
    read: readAddress(isIPv4, aData.encode, 'IPv4'),
    write: (data, at) => (at + 4 === data.length ? { text: aData.decode(data.subarray(at)), end: at + 4 } : undefined),
  },
  ipv6: {
    read: readAddress(isIPv6, aaaaData.encode, 'IPv6'),
    write: (data, at) =>
      at + 16 === data.length ? { text: aaaaData.decode(data.subarray(at)), end: at + 16 } : undefined,
  },
  name: {
    read: single('a domain name', ({ text }, origin) => {
      const name = readDomainName(text, origin)
      return name.ok ? accepted(encodeName(name.value)) : name
    }),
    write(data, at) {
      const read = readName(data, at)
      // Longer on the wire than here: a pointer, which means nothing outside of its message.
      if (read && nameLength(read.name) !== read.end - at) return undefined
      return read && { text: nameText(read.name), end: read.end }
    },
  },
  string: {
    read: single('a text', ({ bytes }) => characterString(bytes)),
    write(data, at) {
      const string = stringAt(data, at)
      return string && { text: quoteString(string.bytes), end: string.end }
    },
  },
  /** One character-string and more. */
  strings: { read: readStrings, write: writeStrings },
  /** RFC 8659 §4.1.1: a character-string of letters and digits, written bare. */
  tag: {
    read: single('a tag', ({ text, bytes }) =>
      /^[a-z0-9]+$/i.test(text) ? characterString(bytes) : refused(`"${text}" is not a tag of letters and digits`),
    ),
    write(data, at) {
      const string = stringAt(data, at)
      const text = string?.bytes.toString('latin1') ?? ''
      return string && /^[a-z0-9]+$/i.test(text) ? { text, end: string.end } : undefined
    },
  },
  /** Bytes up to the end, without a length, as one string. */
  longString: {
    read: single('a text', ({ bytes }) => accepted(bytes)),
    write: (data, at) => ({ text: quoteString(data.subarray(at)), end: data.length }),
  },
  hex: encoded('hex', /^(?:[\da-f]{2})+$/i, 'pairs of hexadecimal digits'),
  base64: encoded('base64', /^(?:[\w+/]{4})*(?:[\w+/]{4}|[\w+/]{3}=|[\w+/]{2}==)$/, 'Base64'),
} as const satisfies Readonly<Record<string, PresentationField>>
