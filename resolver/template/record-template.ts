/** A resource record as a template: `{{ .Name }} 60 IN A 192.0.2.1`, in the form of zone files (RFC 1035 §5.1). */
import { accepted, type Result, refused } from '#lib/result.ts'
import { ROOT } from '../wire/name.ts'
import type { ResourceRecord } from '../wire/record.ts'
import { readEntries } from '../zonefile/lexer.ts'
import { readRecord } from '../zonefile/record-line.ts'
import { parseTemplate, type Template } from './parse.ts'

export interface RecordTemplate {
  /** As it was written. */
  readonly source: string
  readonly template: Template
}

/** Seconds, where a record states none; as CoreDNS. */
const DEFAULT_TTL = 3600

/** A template without anything to put in must be a record. */
export const parseRecordTemplate = (source: string): Result<RecordTemplate, string> => {
  const template = parseTemplate(source)
  if (!template.ok) return template
  if (template.value.every(({ kind }) => kind === 'text')) {
    const record = parseRecord(source)
    if (!record.ok) return record
  }
  return accepted({ source, template: template.value })
}

/** One record; names without a final dot are absolute. */
export const parseRecord = (text: string): Result<ResourceRecord, string> => {
  const entries = readEntries(text.trim())
  const first = entries.next()
  if (first.done) return refused(first.value?.message ?? 'there is no record')
  const rest = entries.next()
  if (!rest.done) return refused('there is more than one record')
  if (rest.value) return refused(rest.value.message)
  const state = { origin: ROOT, owner: undefined, defaultTtl: DEFAULT_TTL, lastTtl: undefined }
  return readRecord(first.value.words, true, state)
}
