/**
 * Records as text, as zone files and `dig` write them (RFC 1035 §5, RFC 3597 §5): for logs, tests, and directives that
 * hold records. Every record has a text; types without a form of their own are written `\# LENGTH HEX`.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { accepted, type Result, refused } from '#lib/result.ts'
import { className, parseClass, parseType, recordTypes, typeName } from './codes.ts'
import { parseName } from './name.ts'
import { aaaaData, aData, mxData, nameData, soaData, srvData, txtData } from './rdata.ts'
import type { DnsName, ResourceRecord } from './record.ts'

const T = recordTypes

interface Word {
  readonly bytes: Buffer
  readonly quoted: boolean
  /** As it was written, quotes left out. */
  readonly text: string
}

interface Form {
  readonly toText: (data: Buffer) => string
  readonly fromWords: (words: readonly Word[]) => Result<Buffer, string>
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

const quoteString = (string: Buffer): string => {
  let text = ''
  for (const byte of string) {
    if (byte === QUOTE || byte === BACKSLASH) text += `\\${String.fromCharCode(byte)}`
    else if (byte < 0x20 || byte > 0x7e) text += `\\${String(byte).padStart(3, '0')}`
    else text += String.fromCharCode(byte)
  }
  return `"${text}"`
}

const readEscapes = (text: string): Buffer => {
  const parts: Buffer[] = []
  for (const [part, decimal, character] of text.matchAll(/\\(\d{3})|\\(.)|[^\\]+/gsu)) {
    if (decimal !== undefined) parts.push(Buffer.from([Number(decimal) & 0xff]))
    else parts.push(Buffer.from(character ?? part))
  }
  return Buffer.concat(parts)
}

const splitWords = (text: string): Word[] =>
  [...text.matchAll(/"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+)/gs)].map(([, quoted, bare]) => {
    const written = quoted ?? bare ?? ''
    return { text: written, quoted: quoted !== undefined, bytes: readEscapes(written) }
  })

/** A `DnsName` as a word: a quote would begin a string. */
const nameText = (name: DnsName): string => name.replaceAll('"', '\\"')

const readNumber = (word: Word | undefined, maximum: number): Result<number, string> => {
  if (!word || !/^\d{1,10}$/.test(word.text)) return refused(`"${word?.text ?? ''}" is not a number`)
  const number = Number(word.text)
  return number <= maximum ? accepted(number) : refused(`${number} is above ${maximum}`)
}

const addressForm = (isAddress: (text: string) => boolean, codec: typeof aData, what: string): Form => ({
  toText: codec.decode,
  fromWords(words) {
    const text = words.map(word => word.text).join(' ')
    return isAddress(text) ? accepted(codec.encode(text)) : refused(`"${text}" is not an ${what} address`)
  },
})

/** Reads one word per kind: a name, or a number up to the limit; stops at the first problem. */
const readFields = (
  words: readonly Word[],
  kinds: readonly ('name' | number)[],
): Result<readonly (string | number)[], string> => {
  if (words.length !== kinds.length) return refused(`${words.length} words where ${kinds.length} belong`)
  const values: (string | number)[] = []
  for (const [index, kind] of kinds.entries()) {
    const word = words[index]
    const read = kind === 'name' ? parseName(word?.text ?? '') : readNumber(word, kind)
    if (!read.ok) return read
    values.push(read.value)
  }
  return accepted(values)
}

const U16 = 0xffff
const U32 = 0xffffffff

const nameForm: Form = {
  toText: data => nameText(nameData.decode(data)),
  fromWords(words) {
    const fields = readFields(words, ['name'])
    if (!fields.ok) return fields
    const [name] = fields.value as [string]
    return accepted(nameData.encode(name))
  },
}

const soaForm: Form = {
  toText(data) {
    const { mname, rname, serial, refresh, retry, expire, minimum } = soaData.decode(data)
    return `${nameText(mname)} ${nameText(rname)} ${serial} ${refresh} ${retry} ${expire} ${minimum}`
  },
  fromWords(words) {
    const fields = readFields(words, ['name', 'name', U32, U32, U32, U32, U32])
    if (!fields.ok) return fields
    const [mname, rname, serial, refresh, retry, expire, minimum] = fields.value as [
      string,
      string,
      number,
      number,
      number,
      number,
      number,
    ]
    return accepted(soaData.encode({ mname, rname, serial, refresh, retry, expire, minimum }))
  },
}

const mxForm: Form = {
  toText(data) {
    const { preference, exchange } = mxData.decode(data)
    return `${preference} ${nameText(exchange)}`
  },
  fromWords(words) {
    const fields = readFields(words, [U16, 'name'])
    if (!fields.ok) return fields
    const [preference, exchange] = fields.value as [number, string]
    return accepted(mxData.encode({ preference, exchange }))
  },
}

const srvForm: Form = {
  toText(data) {
    const { priority, weight, port, target } = srvData.decode(data)
    return `${priority} ${weight} ${port} ${nameText(target)}`
  },
  fromWords(words) {
    const fields = readFields(words, [U16, U16, U16, 'name'])
    if (!fields.ok) return fields
    const [priority, weight, port, target] = fields.value as [number, number, number, string]
    return accepted(srvData.encode({ priority, weight, port, target }))
  },
}

const textForm: Form = {
  toText: data => txtData.decode(data).map(quoteString).join(' '),
  fromWords(words) {
    if (words.length === 0) return refused('a text is missing')
    if (words.some(word => word.bytes.length > 255)) return refused('a string is longer than 255 bytes')
    return accepted(txtData.encode(words.map(word => word.bytes)))
  },
}

const forms = new Map<number, Form>([
  [T.A, addressForm(isIPv4, aData, 'IPv4')],
  [T.AAAA, addressForm(isIPv6, aaaaData, 'IPv6')],
  [T.NS, nameForm],
  [T.CNAME, nameForm],
  [T.PTR, nameForm],
  [T.DNAME, nameForm],
  [T.SOA, soaForm],
  [T.MX, mxForm],
  [T.SRV, srvForm],
  [T.TXT, textForm],
  [T.HINFO, textForm],
])

/** RFC 3597 §5. */
const unknownToText = (data: Buffer): string =>
  data.length === 0 ? '\\# 0' : `\\# ${data.length} ${data.toString('hex').toUpperCase()}`

const unknownFromWords = (words: readonly Word[]): Result<Buffer, string> => {
  const length = readNumber(words[1], U16)
  if (!length.ok) return length
  const hex = words
    .slice(2)
    .map(word => word.text)
    .join('')
  const data = Buffer.from(hex, 'hex')
  return /^[\da-f]*$/i.test(hex) && hex.length === 2 * length.value
    ? accepted(data)
    : refused(`"\\# ${length.value}" is not followed by that many bytes in hexadecimal`)
}

/** `10.96.0.1`, `0 100 443 host.example.`, `\# 2 CAFE`. Data must be as `decodeResponse` or `rdata.ts` gives it. */
export const rdataToText = (type: number, data: Buffer): string => (forms.get(type)?.toText ?? unknownToText)(data)

/** The opposite of `rdataToText`; a name without a final dot counts as absolute. */
const rdataFromText = (type: number, text: string): Result<Buffer, string> => {
  const words = splitWords(text)
  if (words[0]?.text === '\\#' && !words[0].quoted) return unknownFromWords(words)
  const form = forms.get(type)
  return form ? form.fromWords(words) : refused(`${typeName(type)} data is written as \\# LENGTH HEX`)
}

/** `my-svc.default.svc.cluster.local. 5 IN A 10.96.0.1` */
export const recordToText = ({ name, type, class: recordClass, ttl, data }: ResourceRecord): string =>
  `${nameText(name)} ${ttl} ${className(recordClass)} ${typeName(type)} ${rdataToText(type, data)}`

/** `NAME TTL [CLASS] TYPE DATA`; a problem says which part is wrong. */
export const recordFromText = (text: string): Result<ResourceRecord, string> => {
  const match = /^\s*(\S+)\s+(\d{1,10})\s+(?:(IN|CH|HS|CLASS\d+)\s+)?(\S+)\s*(.*)$/is.exec(text)
  if (!match) return refused(`"${text}" is not NAME TTL [CLASS] TYPE DATA`)
  const [, owner = '', ttl = '', classText = 'IN', typeText = '', dataText = ''] = match
  const name = parseName(owner)
  if (!name.ok) return name
  if (Number(ttl) > 0x7fffffff) return refused(`a TTL of ${ttl} is above 2147483647`)
  const type = parseType(typeText)
  if (type === undefined) return refused(`"${typeText}" is not a record type`)
  const recordClass = parseClass(classText)
  if (recordClass === undefined) return refused(`"${classText}" is not a class`)
  const data = rdataFromText(type, dataText)
  if (!data.ok) return data
  return accepted({ name: name.value, type, class: recordClass, ttl: Number(ttl), data: data.value })
}
