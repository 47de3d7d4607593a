/**
 * Field selectors as the `fieldSelector` parameter writes them: `metadata.name=a,status.phase!=Running`. A value escapes
 * `,` `=` and `\` with a backslash (apimachinery fields.ParseSelector).
 */

import type { Kind } from '#cluster/api/kind.ts'
import { accepted, type Result, refused } from '#lib/result.ts'

export interface FieldRequirement {
  readonly field: string
  readonly equal: boolean
  readonly value: string
}

export type FieldSelector = readonly FieldRequirement[]

/** Cuts at commas that no backslash escapes. */
const splitTerms = (text: string): string[] => {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === ',') {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

const unescapeValue = (text: string): Result<string, string> => {
  let plain = ''
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '\\') {
      const next = text[++at]
      if (next === undefined) return refused('invalid field selector: invalid escape sequence: \\')
      if (next !== '\\' && next !== ',' && next !== '=')
        return refused(`invalid field selector: invalid escape sequence: \\${next}`)
      plain += next
    } else if (character === ',' || character === '=') {
      return refused(`invalid field selector: unescaped character in value: ${character.codePointAt(0)}`)
    } else {
      plain += character
    }
  }
  return accepted(plain)
}

const OPERATORS = ['!=', '==', '='] as const

const parseTerm = (text: string, term: string): Result<FieldRequirement, string> => {
  for (let at = 0; at < term.length; at++) {
    const operator = OPERATORS.find(candidate => term.startsWith(candidate, at))
    if (!operator) continue
    const value = unescapeValue(term.slice(at + operator.length))
    if (!value.ok) return value
    return accepted({ field: term.slice(0, at), equal: operator !== '!=', value: value.value })
  }
  return refused(`invalid selector: '${text}'; can't understand '${term}'`)
}

/** Whether a kind's objects can be selected by `field`. */
const isSelectable = (kind: Kind, field: string): boolean =>
  field === 'metadata.name' ||
  (field === 'metadata.namespace' && kind.namespaced) ||
  (kind.selectableFieldNames?.includes(field) ?? false)

/** The requirements as they are written, whatever kind has such fields. The problem is the sentence of the 400. */
export const readFieldSelector = (text: string): Result<FieldSelector, string> => {
  const requirements: FieldRequirement[] = []
  for (const term of splitTerms(text)) {
    if (term === '') continue
    const requirement = parseTerm(text, term)
    if (!requirement.ok) return requirement
    requirements.push(requirement.value)
  }
  return accepted(requirements)
}

/** The same, for a kind that has these fields. */
export const parseFieldSelector = (kind: Kind, text: string): Result<FieldSelector, string> => {
  const selector = readFieldSelector(text)
  const unknown = selector.ok ? selector.value.find(({ field }) => !isSelectable(kind, field)) : undefined
  return unknown ? refused(unknownField(kind, unknown.field)) : selector
}

/** Kinds that have fields of their own say it otherwise, and Jobs in a third way. */
const unknownField = ({ selectableFieldNames, namesItems, kind, type }: Kind, field: string): string => {
  const quoted = JSON.stringify(field)
  if (type === 'batch/v1.Job') return `field label ${quoted} not supported for ${kind}`
  if (selectableFieldNames || namesItems) return `field label not supported: ${field}`
  return `${quoted} is not a known field selector: only "metadata.name", "metadata.namespace"`
}

export const matchesFields = (selector: FieldSelector, fields: Readonly<Record<string, string>>): boolean =>
  selector.every(({ field, equal, value }) => ((fields[field] ?? '') === value) === equal)
