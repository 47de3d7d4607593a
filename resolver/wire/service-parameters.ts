/** The parameters of SVCB and HTTPS records as text (RFC 9460 §2.1, appendix A): `alpn=h2,h3 port=8443`. */
import { isIPv4, isIPv6 } from 'node:net'
import { accepted, type Result, refused } from '#lib/result.ts'
import { type PresentationField, quoteString, readNumber, type Word } from './presentation-fields.ts'
import { aaaaData, aData } from './rdata.ts'

/** RFC 9460 §14.3.2, RFC 9461 §5, RFC 9540 §4. */
const keys: readonly string[] = [
  'mandatory',
  'alpn',
  'no-default-alpn',
  'port',
  'ipv4hint',
  'ech',
  'ipv6hint',
  'dohpath',
  'ohttp',
]

const keyName = (key: number): string => keys[key] ?? `key${key}`

const parseKey = (text: string): number | undefined => {
  const known = keys.indexOf(text)
  if (known !== -1) return known
  const [, digits] = /^key(0|[1-9]\d{0,4})$/.exec(text) ?? []
  // §14.3.2: 65535 is reserved.
  return digits !== undefined && Number(digits) < 0xffff ? Number(digits) : undefined
}

interface ParameterForm {
  readonly read: (value: Buffer) => Result<Buffer, string>
  /** Undefined: not of this form. */
  readonly write: (value: Buffer) => string | undefined
}

const COMMA = 0x2c
const BACKSLASH = 0x5c

/** Appendix A.1: items between commas; `\` before a comma or itself takes its meaning away. Undefined: an empty item. */
const splitList = (value: Buffer): Buffer[] | undefined => {
  const items: number[][] = [[]]
  for (let at = 0; at < value.length; at++) {
    if (value[at] === COMMA) items.push([])
    else items.at(-1)!.push(value[at] === BACKSLASH ? (value[++at] ?? BACKSLASH) : value[at]!)
  }
  return items.some(item => item.length === 0) ? undefined : items.map(item => Buffer.from(item))
}

const concatenate = (parts: readonly Result<Buffer, string>[]): Result<Buffer, string> => {
  const buffers: Buffer[] = []
  for (const part of parts) {
    if (!part.ok) return part
    buffers.push(part.value)
  }
  return accepted(Buffer.concat(buffers))
}

const listOf = (item: (bytes: Buffer) => Result<Buffer, string>) => (value: Buffer) => {
  const items = splitList(value)
  return items ? concatenate(items.map(item)) : refused('a list has an empty item')
}

const u16 = (number: number): Buffer => Buffer.from([number >> 8, number & 0xff])

/** Parts of `size` bytes each. */
const chunksOf = (value: Buffer, size: number): Buffer[] | undefined => {
  if (value.length === 0 || value.length % size !== 0) return undefined
  return Array.from({ length: value.length / size }, (_, index) => value.subarray(index * size, (index + 1) * size))
}

const hints = (size: number, isAddress: (text: string) => boolean, codec: typeof aData): ParameterForm => ({
  read: listOf(bytes => {
    const text = bytes.toString()
    return isAddress(text) ? accepted(codec.encode(text)) : refused(`"${text}" is not an address of the family`)
  }),
  write: value => chunksOf(value, size)?.map(codec.decode).join(','),
})

const mandatory: ParameterForm = {
  read(value) {
    const numbers: number[] = []
    for (const item of splitList(value) ?? []) {
      const key = parseKey(item.toString())
      // §8: "the key "mandatory" MUST NOT appear", and no key twice.
      if (!key || numbers.includes(key)) return refused(`"${item}" cannot be mandatory`)
      numbers.push(key)
    }
    if (numbers.length === 0) return refused('the list of mandatory keys is empty')
    return accepted(Buffer.concat(numbers.sort((left, right) => left - right).map(u16)))
  },
  write: value =>
    chunksOf(value, 2)
      ?.map(key => keyName(key.readUInt16BE(0)))
      .join(','),
}

const alpn: ParameterForm = {
  read: listOf(id =>
    id.length <= 255
      ? accepted(Buffer.concat([Buffer.from([id.length]), id]))
      : refused('an ALPN id is longer than 255 bytes'),
  ),
  write(value) {
    const ids: string[] = []
    for (let at = 0; at < value.length; at += 1 + value[at]!) {
      const id = value.subarray(at + 1, at + 1 + value[at]!)
      if (id.length === 0 || id.length !== value[at]) return undefined
      ids.push(id.toString('latin1').replace(/[\\,]/g, '\\$&'))
    }
    return valueText(Buffer.from(ids.join(','), 'latin1'))
  },
}

const port: ParameterForm = {
  read(value) {
    const number = readNumber(value.toString(), 0xffff)
    return number.ok ? accepted(u16(number.value)) : number
  },
  write: value => (value.length === 2 ? String(value.readUInt16BE(0)) : undefined),
}

const ech: ParameterForm = {
  read(value) {
    const text = value.toString('latin1')
    const bytes = Buffer.from(text, 'base64')
    return bytes.length > 0 && bytes.toString('base64') === text ? accepted(bytes) : refused(`"${text}" is not Base64`)
  },
  write: value => value.toString('base64'),
}

const raw: ParameterForm = { read: accepted, write: value => valueText(value) }

const forms = new Map<number, ParameterForm>([
  [0, mandatory],
  [1, alpn],
  [3, port],
  [4, hints(4, isIPv4, aData)],
  [5, ech],
  [6, hints(16, isIPv6, aaaaData)],
])

/** Keys that have no value (§7.1.1, RFC 9540 §4). */
const WITHOUT_VALUE = new Set([2, 8])

/** Bare where that is as clear. */
const valueText = (value: Buffer): string => {
  const text = value.toString('latin1')
  return /^[\w./,:{}?=&*+-]+$/.test(text) ? text : quoteString(value)
}

const readValue = (key: number, value: Buffer | undefined): Result<Buffer, string> => {
  if (WITHOUT_VALUE.has(key)) return value ? refused('takes no value') : accepted(Buffer.alloc(0))
  const form = forms.get(key)
  if (form && value === undefined) return refused('needs a value')
  return (form ?? raw).read(value ?? Buffer.alloc(0))
}

interface Parameter {
  readonly key: number
  readonly value: Buffer
}

/** `following`: the next word, where it is the quoted value of this one. */
const readParameter = (word: Word, following: Word | undefined): Result<Parameter, string> => {
  const [, name = '', mark] = /^([^=]*)(=?)/.exec(word.text) ?? []
  const key = parseKey(name)
  if (key === undefined) return refused(`"${name}" is not a key of a service parameter`)
  const bytes = following?.bytes ?? word.bytes.subarray(name.length + 1)
  const value = readValue(key, mark ? bytes : undefined)
  return value.ok ? accepted({ key, value: value.value }) : refused(`${name}: ${value.problem}`)
}

const readParameters = (words: readonly Word[]): Result<Parameter[], string> => {
  const parameters: Parameter[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    const next = words[at + 1]
    const following = word.text.endsWith('=') && next?.quoted ? words[++at] : undefined
    const parameter = readParameter(word, following)
    if (!parameter.ok) return parameter
    if (parameters.some(({ key }) => key === parameter.value.key))
      return refused(`${keyName(parameter.value.key)} stands twice`)
    parameters.push(parameter.value)
  }
  return accepted(parameters.sort((left, right) => left.key - right.key))
}

/** §2.2: keys in ascending order, each once, with the length of its value. */
export const serviceParameters: PresentationField = {
  read(words) {
    const parameters = readParameters(words.takeRest())
    if (!parameters.ok) return parameters
    const [first] = parameters.value
    const needed = first?.key === 0 ? (chunksOf(first.value, 2) ?? []) : []
    const absent = needed.find(key => !parameters.value.some(parameter => parameter.key === key.readUInt16BE(0)))
    if (absent) return refused(`${keyName(absent.readUInt16BE(0))} is mandatory, but is not there`)
    return accepted(Buffer.concat(parameters.value.flatMap(({ key, value }) => [u16(key), u16(value.length), value])))
  },
  write(data, at) {
    const texts: string[] = []
    let end = at
    while (end < data.length) {
      if (end + 4 > data.length) return undefined
      const key = data.readUInt16BE(end)
      const value = data.subarray(end + 4, end + 4 + data.readUInt16BE(end + 2))
      if (value.length !== data.readUInt16BE(end + 2)) return undefined
      end += 4 + value.length
      const text = value.length === 0 ? '' : (forms.get(key) ?? raw).write(value)
      if (text === undefined || (value.length > 0 && WITHOUT_VALUE.has(key))) return undefined
      texts.push(text === '' ? keyName(key) : `${keyName(key)}=${text}`)
    }
    return { text: texts.join(' '), end }
  },
}
