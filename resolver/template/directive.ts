/** The `template` directive as settings: which questions it is for, and what it makes of them. */
import type { RE2JS } from 're2js'
import type { DirectiveReader, PropertyTable } from '../corefile/directive-reader.ts'
import { suggestion } from '../corefile/nearest.ts'
import { readPattern } from '../corefile/pattern.ts'
import type { Directive, Property, Word } from '../corefile/syntax.ts'
import type { BlockContext } from '../plugin.ts'
import { classes, className, parseRcode, rcodes, recordTypes, typeName } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import type { DnsName } from '../wire/record.ts'
import { questionFields } from './data.ts'
import { fieldsOf } from './parse.ts'
import { parseRecordTemplate, type RecordTemplate } from './record-template.ts'
import { readWorkings, type Workings } from './variables.ts'

const record = { kind: 'words', syntax: 'RECORD', minimum: 1, maximum: 1, repeatable: true, absent: 'none' } as const

export const templateOptions = {
  match: {
    kind: 'words',
    syntax: 'REGEXP…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'every name',
    doc: 'RE2 patterns for the name, in lower case with its final dot; the first that fits gives the groups',
  },
  var: {
    kind: 'words',
    syntax: 'NAME EXPRESSION',
    minimum: 2,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'none',
    doc: 'works out a value, which is `.Var.NAME` in records; it may use those above it',
  },
  expr: {
    kind: 'words',
    syntax: 'EXPRESSION',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'every name that fits',
    doc: 'a condition; where one does not hold it is as if no pattern fitted',
  },
  answer: { ...record, doc: 'a record of the answer section, as a template' },
  additional: { ...record, doc: 'a record of the additional section' },
  authority: { ...record, doc: 'a record of the authority section' },
  rcode: {
    kind: 'words',
    syntax: 'RCODE',
    minimum: 1,
    maximum: 1,
    absent: 'NOERROR',
    doc: 'the reply’s code; with SERVFAIL no records are made',
  },
  ederror: {
    kind: 'words',
    syntax: 'CODE [TEXT]',
    minimum: 1,
    maximum: 2,
    absent: 'none',
    doc: 'an extended error (RFC 8914), 0 to 65535',
  },
  fallthrough: {
    kind: 'words',
    syntax: '[ZONE…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'SERVFAIL where no pattern fits',
    doc: 'pass names on that no pattern fits (below the zones, if some are named)',
  },
  upstream: {
    kind: 'words',
    syntax: '[ADDRESS…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'off',
    doc: 'accepted for old Corefiles: aliases are followed by this server itself',
  },
} as const satisfies PropertyTable

export const sections = ['answer', 'additional', 'authority'] as const
export type Section = (typeof sections)[number]

export interface TemplateSettings {
  /** As the metrics tell it: `IN` or `ANY`. */
  readonly className: string
  readonly type: number
  readonly typeName: string
  readonly zones: readonly DnsName[]
  /** None: every name. */
  readonly patterns: readonly RE2JS[]
  readonly workings: Workings
  readonly records: Readonly<Record<Section, readonly RecordTemplate[]>>
  readonly rcode: number
  readonly extendedErrors: readonly ExtendedError[]
  /** Undefined: no fallthrough. */
  readonly fallthrough: readonly DnsName[] | undefined
}

export const readTemplateDirective = (
  reader: DirectiveReader,
  directive: Directive,
  block: BlockContext,
): TemplateSettings => {
  const [classWord, typeWord, ...zones] = directive.arguments
  if (!classWord || !typeWord) reader.refuse(classWord ?? directive.name, 'needs CLASS TYPE (like "template IN A")')
  const values = reader.properties(templateOptions)
  const type = typeWord ? reader.recordType(typeWord) : recordTypes.ANY
  const patterns = values.match.flatMap(line => line.arguments.flatMap(word => readPattern(reader, word) ?? []))
  const groups = patterns.flatMap(pattern => Object.keys(pattern.namedGroups()))
  const workings = readWorkings(reader, values, groups, block)
  const known = { Group: groups, Var: workings.variables.map(({ name }) => name) }
  const read = (lines: readonly Property[]) =>
    lines.flatMap(({ arguments: [word] }) => readRecordTemplate(reader, word!, known))
  const [rcodeWord] = values.rcode[0]?.arguments ?? []
  const fallthrough = values.fallthrough[0]
  return {
    className: classWord ? readClass(reader, classWord) : 'IN',
    type,
    typeName: typeName(type),
    zones: reader.zones(zones, block.zones),
    patterns,
    workings,
    records: {
      answer: read(values.answer),
      additional: read(values.additional),
      authority: read(values.authority),
    },
    rcode: rcodeWord ? readRcode(reader, rcodeWord) : rcodes.NOERROR,
    extendedErrors: values.ederror.map(({ arguments: [code, text] }) => ({
      code: reader.number(code!, { minimum: 0, maximum: 0xffff, unit: 'an extended error' }),
      text: text?.text ?? '',
    })),
    fallthrough: fallthrough && reader.zones(fallthrough.arguments, ['.']),
  }
}

const readClass = (reader: DirectiveReader, word: Word): string => {
  const name = word.text.toUpperCase()
  if (name !== 'IN' && name !== 'ANY')
    reader.refuse(word, `"${word.text}" is not a class that is served (IN, or ANY for the same)`)
  return name === 'ANY' ? name : className(classes.IN)
}

const readRcode = (reader: DirectiveReader, word: Word): number => {
  const rcode = parseRcode(word.text)
  if (rcode === undefined)
    reader.refuse(word, `"${word.text}" is not an rcode${suggestion(word.text, Object.keys(rcodes))}`)
  return rcode ?? rcodes.SERVFAIL
}

/** A name that nothing has would only show when somebody asks. */
const readRecordTemplate = (
  reader: DirectiveReader,
  word: Word,
  known: Readonly<Record<'Group' | 'Var', readonly string[]>>,
): RecordTemplate[] => {
  const parsed = parseRecordTemplate(word.text)
  if (!parsed.ok) {
    reader.refuse(word, `"${word.text}": ${parsed.problem}`)
    return []
  }
  for (const [field, name] of fieldsOf(parsed.value.template)) {
    if (field !== undefined && !questionFields.includes(field))
      reader.refuse(word, `unknown field ".${field}"${suggestion(field, questionFields)}`)
    if (name === undefined) continue
    if (field === 'Group' && !known.Group.includes(name) && !/^\d+$/.test(name))
      reader.refuse(word, `no pattern has a group "${name}"${suggestion(name, known.Group)}`)
    if (field === 'Var' && !known.Var.includes(name))
      reader.refuse(word, `there is no variable "${name}"${suggestion(name, known.Var)}`)
  }
  return [parsed.value]
}
