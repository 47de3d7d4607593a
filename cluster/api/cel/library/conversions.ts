/** From type to type: `int(x)`, `string(x)`, `timestamp(x)` … and `size`. */
import { type CallCost, traversal, walks } from '../cost/call-cost.ts'
import { sizeOf as measured, walking } from '../cost/estimate.ts'
import { formatDouble } from '../double.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { durationOfNumber, formatDuration, formatTime, parseDuration, parseTime, timeOfSeconds } from '../time.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  parameter,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
} from '../type.ts'
import {
  CelError,
  type CelValue,
  type Duration,
  sizeOf,
  type Timestamp,
  TypeName,
  typeNameOf,
  Unsigned,
} from '../value.ts'

const inRange = (value: bigint, low: bigint, high: bigint, fault: string): bigint => {
  if (value < low || value > high) throw new CelError(fault)
  return value
}

const toInt = (value: bigint): bigint => inRange(value, -(2n ** 63n), 2n ** 63n - 1n, 'integer overflow')
const toUint = (value: bigint): Unsigned =>
  new Unsigned(inRange(value, 0n, 2n ** 64n - 1n, 'unsigned integer overflow'))

const truncate = (value: number, fault: string): bigint => {
  if (!Number.isFinite(value)) throw new CelError(fault)
  return BigInt(Math.trunc(value))
}

const conversionError = (wanted: string): CelError => new CelError(`type conversion error from 'string' to '${wanted}'`)

const parseInteger = (text: string, wanted: 'int' | 'uint'): bigint => {
  // Longer than any number that fits; to read them takes more than their length.
  const syntax = wanted === 'int' ? /^[+-]?\d{1,100}$/ : /^\d{1,100}$/
  if (!syntax.test(text)) throw conversionError(wanted)
  const value = BigInt(text.replace('+', ''))
  const fitting = wanted === 'int' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)
  if (fitting !== value) throw conversionError(wanted)
  return value
}

const parseDouble = (text: string): number => {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  const isNumber = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text)
  if (!isNumber && !/^nan$/i.test(text)) throw conversionError('double')
  return Number(text)
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

const parseBool = (text: string): boolean => {
  if (TRUE.includes(text)) return true
  if (FALSE.includes(text)) return false
  throw conversionError('bool')
}

const decodeText = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

const to = (name: string, result: CelType) => (from: CelType, convert: (value: never) => CelValue, cost?: CallCost) =>
  globalFunction(name, [from], result, ([value]) => convert(value as never), cost)

const int = to('int', INT)
const uint = to('uint', UINT)
const double = to('double', DOUBLE)
const string = to('string', STRING)
const same = (value: CelValue): CelValue => value

/** Four bytes may be one character. */
const decodes: CallCost = {
  ...walks(1),
  worst: args => ({
    ...walking()(args),
    size: { min: Math.floor(measured(args, 0).min / 4), max: measured(args, 0).max },
  }),
}

const encodes: CallCost = {
  ...walks(1),
  worst: args => ({ ...walking()(args), size: { min: measured(args, 0).min, max: measured(args, 0).max * 4 } }),
}

/** Only the type is lost. */
const keeps: CallCost = { worst: ([value]) => ({ cost: 1, size: value?.size, entries: value?.entries }) }

const numbers: readonly CelFunction[] = [
  int(INT, same),
  int(UINT, ({ value }: Unsigned) => toInt(value)),
  int(DOUBLE, (value: number) => toInt(truncate(value, 'integer overflow'))),
  int(STRING, (text: string) => parseInteger(text, 'int')),
  int(TIMESTAMP, ({ nanoseconds }: Timestamp) => nanoseconds / 1_000_000_000n),
  int(DURATION, ({ nanoseconds }: Duration) => nanoseconds),
  uint(UINT, same),
  uint(INT, (value: bigint) => toUint(value)),
  uint(DOUBLE, (value: number) => toUint(truncate(value, 'unsigned integer overflow'))),
  uint(STRING, (text: string) => new Unsigned(parseInteger(text, 'uint'))),
  double(DOUBLE, same),
  double(INT, (value: bigint) => Number(value)),
  double(UINT, ({ value }: Unsigned) => Number(value)),
  double(STRING, parseDouble),
]

const texts: readonly CelFunction[] = [
  string(STRING, same),
  string(BOOL, String),
  string(INT, String),
  string(UINT, ({ value }: Unsigned) => String(value)),
  string(DOUBLE, formatDouble),
  string(BYTES, decodeText, decodes),
  string(TIMESTAMP, formatTime),
  string(DURATION, formatDuration),
]

/** Counting a text's characters takes time where cel-go calls it free: large texts pay for it. */
const sizes = [STRING, BYTES, listOf(parameter('T')), mapOf(parameter('K'), parameter('V'))].flatMap(type =>
  [globalFunction, method].map(make =>
    make('size', [type], INT, ([value]) => BigInt(sizeOf(value!)), {
      run: ([value]) => (typeof value === 'string' ? Math.max(1, traversal(value.length / 10)) : 1),
    }),
  ),
)

export const CONVERSIONS: readonly CelFunction[] = [
  ...numbers,
  ...texts,
  ...sizes,
  to('bool', BOOL)(BOOL, same),
  to('bool', BOOL)(STRING, parseBool),
  to('bytes', BYTES)(BYTES, same),
  to('bytes', BYTES)(STRING, (text: string) => new Uint8Array(Buffer.from(text)), encodes),
  to('timestamp', TIMESTAMP)(TIMESTAMP, same),
  to('timestamp', TIMESTAMP)(STRING, parseTime),
  to('timestamp', TIMESTAMP)(INT, timeOfSeconds),
  to('duration', DURATION)(DURATION, same),
  to('duration', DURATION)(STRING, parseDuration),
  to('duration', DURATION)(INT, durationOfNumber),
  to('dyn', DYN)(parameter('T'), same, keeps),
  to('type', TYPE)(parameter('T'), (value: CelValue) => new TypeName(typeNameOf(value))),
]
