/** One record of a master file: `[OWNER] [TTL] [CLASS] TYPE DATA`, TTL and class in any order (RFC 1035 §5.1). */
import { accepted, type Result, refused } from '#lib/result.ts'
import { suggestion } from '../corefile/nearest.ts'
import { classes, parseClass, parseType, recordTypes, typeName } from '../wire/codes.ts'
import { rdataFromWords } from '../wire/presentation.ts'
import { parseSeconds, readDomainName, type Word } from '../wire/presentation-fields.ts'
import { soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

/** What later records take from earlier lines; one a file. */
export interface ReadingState {
  origin: DnsName
  /** Of the record before; undefined: there was none. */
  owner: DnsName | undefined
  /** $TTL (RFC 2308 §4). */
  defaultTtl: number | undefined
  /** The last one that a record stated (RFC 1035 §5.1). */
  lastTtl: number | undefined
}

/** RFC 2181 §8: 31 bits. */
const MAXIMUM_TTL = 0x7fffffff

export const readTtl = (text: string): Result<number, string> => {
  const ttl = parseSeconds(text)
  if (ttl === undefined) return refused(`"${text}" is not a TTL (seconds, or like 1h30m)`)
  return ttl <= MAXIMUM_TTL ? accepted(ttl) : refused(`a TTL of ${text} is above ${MAXIMUM_TTL} seconds`)
}

/** RFC 6895 §3.1: types that only questions and messages have. */
const isMeta = (type: number): boolean => type === recordTypes.OPT || (type >= 128 && type <= 255)

const readType = (word: Word | undefined): Result<number, string> => {
  if (!word) return refused('a record type is missing')
  const type = parseType(word.text)
  if (type === undefined)
    return refused(`"${word.text}" is not a record type${suggestion(word.text, Object.keys(recordTypes))}`)
  return isMeta(type) || type === 0 ? refused(`${typeName(type)} is not a type that a zone can hold`) : accepted(type)
}

interface Prefix {
  readonly ttl: number | undefined
  readonly type: number
  /** Where the data begins. */
  readonly next: number
}

const readPrefix = (words: readonly Word[], start: number): Result<Prefix, string> => {
  let ttl: number | undefined
  let hasClass = false
  for (let next = start; ; next++) {
    const word = words[next]
    const text = word?.text ?? ''
    if (!hasClass && /^(?:IN|CH|HS|CLASS\d+)$/i.test(text)) {
      hasClass = true
      if (parseClass(text) !== classes.IN) return refused(`class ${text}: only IN is served`)
    } else if (ttl === undefined && parseSeconds(text) !== undefined) {
      const read = readTtl(text)
      if (!read.ok) return read
      ttl = read.value
    } else {
      const type = readType(word)
      return type.ok ? accepted({ ttl, type: type.value, next: next + 1 }) : type
    }
  }
}

const readOwner = (words: readonly Word[], hasOwner: boolean, state: ReadingState): Result<DnsName, string> => {
  if (hasOwner) return readDomainName(words[0]!.text, state.origin)
  return state.owner === undefined ? refused('the first record has no owner name') : accepted(state.owner)
}

const ttlOf = (ttl: number | undefined, type: number, data: Buffer, state: ReadingState): number | undefined => {
  const known = ttl ?? state.defaultTtl ?? state.lastTtl
  // No TTL at all so far: as BIND, the SOA's MINIMUM, which was the default of records before RFC 2308.
  return known ?? (type === recordTypes.SOA ? Math.min(soaData.decode(data).minimum, MAXIMUM_TTL) : undefined)
}

/** Reads a record, and keeps in `state` what the next ones take from it. */
export const readRecord = (
  words: readonly Word[],
  hasOwner: boolean,
  state: ReadingState,
): Result<ResourceRecord, string> => {
  const owner = readOwner(words, hasOwner, state)
  if (!owner.ok) return owner
  const prefix = readPrefix(words, hasOwner ? 1 : 0)
  if (!prefix.ok) return prefix
  const { type, next } = prefix.value
  const data = rdataFromWords(type, words.slice(next), state.origin)
  if (!data.ok) return refused(`${typeName(type)}: ${data.problem}`)
  const ttl = ttlOf(prefix.value.ttl, type, data.value, state)
  if (ttl === undefined) return refused('no TTL: neither here, nor by $TTL, nor in a record before')
  state.owner = owner.value
  if (prefix.value.ttl !== undefined || type === recordTypes.SOA) state.lastTtl = ttl
  return accepted({ name: owner.value, type, class: classes.IN, ttl, data: data.value })
}
