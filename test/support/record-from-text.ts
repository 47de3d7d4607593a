import { accepted, type Result, refused } from '#lib/result.ts'
import { parseClass, parseType } from '#resolver/wire/codes.ts'
import { parseName } from '#resolver/wire/name.ts'
import { rdataFromWords } from '#resolver/wire/presentation.ts'
import { splitWords } from '#resolver/wire/presentation-fields.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'

/** `NAME TTL [CLASS] TYPE DATA`; a problem says which part is wrong. */
export const recordFromText = (text: string): Result<ResourceRecord, string> => {
  const match = /^\s*(\S+)\s+(\d{1,10})\s+(?:(IN|CH|HS|CLASS\d+)\s+)?(\S+)\s*(.*)$/is.exec(text)
  if (!match) return refused(`"${text}" is not NAME TTL [CLASS] TYPE DATA`)
  const [, owner = '', ttl = '', classText = 'IN', typeText = '', dataText = ''] = match
  const parsed = parseName(owner)
  if (!parsed.ok) return parsed
  if (Number(ttl) > 0x7fffffff) return refused(`a TTL of ${ttl} is above 2147483647`)
  const type = parseType(typeText)
  if (type === undefined) return refused(`"${typeText}" is not a record type`)
  const recordClass = parseClass(classText)
  if (recordClass === undefined) return refused(`"${classText}" is not a class`)
  const data = rdataFromWords(type, splitWords(dataText))
  if (!data.ok) return data
  return accepted({ name: parsed.value, type, class: recordClass, ttl: Number(ttl), data: data.value })
}
