/** header: sets and clears bits in the header of queries, for the plugins behind it, and of replies. */
import { whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Property, Word } from '../corefile/syntax.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import type { Answer, Verdict } from '../verdict.ts'

const actions = ['set', 'clear'] as const
const replyFlags = ['aa', 'ra', 'rd'] as const
const queryFlags = ['rd', 'ad', 'cd'] as const

const words = { kind: 'words', repeatable: true, absent: 'the bits stay as they are' } as const

const options = {
  query: {
    ...words,
    syntax: 'set|clear rd|ad|cd…',
    minimum: 2,
    maximum: 4,
    doc: 'bits of the query, as the plugins behind this one see it',
  },
  response: { ...words, syntax: 'set|clear aa|ra|rd…', minimum: 2, maximum: 4, doc: 'bits of the reply' },
  set: { ...words, syntax: 'aa|ra|rd…', minimum: 1, maximum: 3, doc: 'the same as `response set`' },
  clear: { ...words, syntax: 'aa|ra|rd…', minimum: 1, maximum: 3, doc: 'the same as `response clear`' },
} as const satisfies PropertyTable

/** The fields that the lines leave as they say, the last line first. */
interface Changes {
  readonly query: Partial<Pick<Query, 'recursionDesired' | 'authenticData' | 'checkingDisabled'>>
  readonly reply: Partial<Pick<Answer, 'authoritative' | 'recursionAvailable' | 'recursionDesired'>>
}

const replyFields = { aa: 'authoritative', ra: 'recursionAvailable', rd: 'recursionDesired' } as const
const queryFields = { rd: 'recursionDesired', ad: 'authenticData', cd: 'checkingDisabled' } as const

export const headerPlugin: PluginModule = {
  name: 'header',
  options,
  setup(directive) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    reader.properties(options)
    if (directive.properties.length === 0) reader.refuse(directive.name, 'needs lines that set or clear something')
    return reader.finish((): Plugin => {
      const { query: queryChanges, reply } = readChanges(reader, directive.properties)
      const changesQuery = Object.keys(queryChanges).length > 0
      const change = (verdict: Verdict): Verdict =>
        verdict.verdict === 'answered' ? { ...verdict, answer: { ...verdict.answer, ...reply } } : verdict
      return {
        name: 'header',
        steady: true,
        transparent: true,
        handle: (query, next) => whenKnown(next(changesQuery ? { ...query, ...queryChanges } : query), change),
      }
    })
  },
}

const readChanges = (reader: DirectiveReader, lines: readonly Property[]): Changes => {
  let changes: Changes = { query: {}, reply: {} }
  for (const { name, arguments: line } of lines) {
    const isShort = name.text === 'set' || name.text === 'clear'
    const [action, ...flags]: readonly Word[] = isShort ? [name, ...line] : line
    const value = reader.choice(action!, actions) === 'set'
    for (const flag of flags) {
      if (name.text === 'query') {
        const field = queryFields[reader.choice(flag, queryFlags)]
        changes = { ...changes, query: { ...changes.query, [field]: value } }
      } else {
        const field = replyFields[reader.choice(flag, replyFlags)]
        changes = { ...changes, reply: { ...changes.reply, [field]: value } }
      }
    }
  }
  return changes
}
