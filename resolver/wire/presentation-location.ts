/** LOC: a place on Earth (RFC 1876). */
import { accepted, type Result, refused } from '#lib/result.ts'
import type { PresentationField, Words } from './presentation-fields.ts'

/** Bytes of the one version there is. */
const LENGTH = 16
/** §2: the equator and the prime meridian, in thousandths of a second of arc. */
const MIDDLE = 2 ** 31
const DEGREE = 3_600_000
/** §2: altitudes are centimetres above 100,000 m below the reference. */
const REFERENCE = 10_000_000
/** §3, in centimetres. */
const SIZE = 100
const HORIZONTAL = 1_000_000
const VERTICAL = 1000
const MOST_SIZE = 9_000_000_000

type Axis = { readonly letters: readonly [string, string]; readonly most: number; readonly what: string }
const latitude: Axis = { letters: ['N', 'S'], most: 90, what: 'latitude' }
const longitude: Axis = { letters: ['E', 'W'], most: 180, what: 'longitude' }

/** `DEGREES [MINUTES [SECONDS]] LETTER`. */
const readAngle = (words: Words, { letters, most, what }: Axis): Result<number, string> => {
  const numbers: string[] = []
  for (;;) {
    const text = words.take()?.text ?? ''
    const letter = text.toUpperCase()
    if (letters.includes(letter)) {
      const [degrees = '', minutes = '0', seconds = '0'] = numbers
      const isRight = /^\d{1,3}$/.test(degrees) && /^\d{1,2}$/.test(minutes) && /^\d{1,2}(?:\.\d{1,3})?$/.test(seconds)
      const angle = Number(degrees) * DEGREE + Number(minutes) * 60_000 + Math.round(Number(seconds) * 1000)
      if (!isRight || Number(minutes) > 59 || Number(seconds) >= 60 || angle > most * DEGREE)
        return refused(`"${numbers.join(' ')}" is not a ${what} (degrees up to ${most}, minutes, seconds)`)
      return accepted(letter === letters[0] ? MIDDLE + angle : MIDDLE - angle)
    }
    numbers.push(text)
    if (numbers.length > 3 || text === '') return refused(`a ${what} without its letter ${letters.join(' or ')}`)
  }
}

/** Metres with up to two decimals, `m` behind them or not; centimetres come back. */
const readMetres = (text: string, least: number, most: number): Result<number, string> => {
  const isNumber = /^-?\d{1,8}(?:\.\d{1,2})?m?$/i.test(text)
  const centimetres = Math.round(Number(text.replace(/m$/i, '')) * 100)
  return isNumber && centimetres >= least && centimetres <= most
    ? accepted(centimetres)
    : refused(`"${text}" is not a number of metres from ${least / 100} to ${most / 100}`)
}

/** §2: one digit and a power of ten, four bits each. */
const packSize = (centimetres: number): number => {
  const exponent = centimetres === 0 ? 0 : Math.floor(Math.log10(centimetres) + 1e-9)
  return (Math.floor(centimetres / 10 ** exponent) << 4) | exponent
}

/** Undefined: digits above nine. */
const unpackSize = (byte: number): number | undefined =>
  byte >> 4 > 9 || (byte & 15) > 9 ? undefined : (byte >> 4) * 10 ** (byte & 15)

const read = (words: Words): Result<Buffer, string> => {
  const north = readAngle(words, latitude)
  if (!north.ok) return north
  const east = readAngle(words, longitude)
  if (!east.ok) return east
  const altitude = readMetres(words.take()?.text ?? '', -REFERENCE, 2 ** 32 - 1 - REFERENCE)
  if (!altitude.ok) return altitude
  const data = Buffer.alloc(LENGTH)
  for (const [index, otherwise] of [SIZE, HORIZONTAL, VERTICAL].entries()) {
    const word = words.isEmpty ? undefined : words.take()
    const size = word ? readMetres(word.text, 0, MOST_SIZE) : accepted(otherwise)
    if (!size.ok) return size
    data[1 + index] = packSize(size.value)
  }
  data.writeUInt32BE(north.value, 4)
  data.writeUInt32BE(east.value, 8)
  data.writeUInt32BE(altitude.value + REFERENCE, 12)
  return accepted(data)
}

const formatAngle = (value: number, { letters, most }: Axis): string | undefined => {
  const angle = Math.abs(value - MIDDLE)
  if (angle > most * DEGREE) return undefined
  const seconds = ((angle % 60_000) / 1000).toFixed(3)
  return `${Math.floor(angle / DEGREE)} ${Math.floor((angle % DEGREE) / 60_000)} ${seconds} ${letters[value >= MIDDLE ? 0 : 1]}`
}

const formatMetres = (centimetres: number): string =>
  centimetres % 100 === 0 ? `${centimetres / 100}m` : `${(centimetres / 100).toFixed(2)}m`

export const location: PresentationField = {
  read,
  write(data, at) {
    // §2: other versions are laid out otherwise.
    if (at !== 0 || data.length !== LENGTH || data[0] !== 0) return undefined
    const north = formatAngle(data.readUInt32BE(4), latitude)
    const east = formatAngle(data.readUInt32BE(8), longitude)
    const sizes = [data[1]!, data[2]!, data[3]!].map(unpackSize)
    if (north === undefined || east === undefined || sizes.includes(undefined)) return undefined
    const altitude = formatMetres(data.readUInt32BE(12) - REFERENCE)
    return { text: [north, east, altitude, ...sizes.map(size => formatMetres(size!))].join(' '), end: LENGTH }
  },
}
