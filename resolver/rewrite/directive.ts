/** CoreDNS's `rewrite` directive, on one line or in braces: the words are the same. */
import type { Result } from '#lib/result.ts'
import type { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Directive, Word } from '../corefile/syntax.ts'
import { parseClass, parseRcode, parseType } from '../wire/codes.ts'
import { MATCHES, type MatchKind, type NameRewriter, readMatcher, readRewriter } from './name-pattern.ts'
import type { Renaming } from './rename-answer.ts'
import { classRule, cnameRule, nameRule, type Rule, rcodeRule, type TtlRange, ttlRule, typeRule } from './rule.ts'

export interface RewriteSettings {
  readonly rule: Rule
  /** Whether later rules leave a question alone that this one has rewritten. */
  readonly stop: boolean
}

const FIELDS = ['name', 'type', 'class', 'ttl', 'cname', 'rcode'] as const
const MAXIMUM_TTL = 2_147_483_647

/** The words that are left of a directive; what is wrong is kept in the reader. */
class Words {
  readonly #words: readonly Word[]
  readonly #directive: Directive
  readonly reader: DirectiveReader
  #at = 0

  constructor(directive: Directive, reader: DirectiveReader) {
    const { arguments: words, properties } = directive
    this.#words = [...words, ...properties.flatMap(property => [property.name, ...property.arguments])]
    this.#directive = directive
    this.reader = reader
  }

  peek(): Word | undefined {
    return this.#words[this.#at]
  }

  take(what: string): Word {
    const word = this.#words[this.#at++]
    if (!word) this.reader.refuse(this.#directive.name, `needs ${what}`)
    return word ?? { ...this.#directive.name, text: '' }
  }

  takeIf<const Text extends string>(...texts: readonly Text[]): Text | undefined {
    const found = texts.find(text => text === this.peek()?.text)
    if (found !== undefined) this.#at++
    return found
  }

  end(): void {
    const surplus = this.peek()
    if (surplus) this.reader.refuse(surplus, `"${surplus.text}" is one word too many`)
  }

  /** A value made of words; where it cannot be made, `otherwise`. */
  read<Value>(result: Result<Value, string>, where: Word, otherwise: Value): Value {
    if (result.ok) return result.value
    this.reader.refuse(where, result.problem)
    return otherwise
  }

  number(what: string, parse: (text: string) => number | undefined): number {
    const word = this.take(what)
    const number = parse(word.text)
    if (number === undefined && word.text !== '') this.reader.refuse(word, `"${word.text}" is not ${what}`)
    return number ?? 0
  }
}

export const readRewrite = (directive: Directive, reader: DirectiveReader): RewriteSettings => {
  const words = new Words(directive, reader)
  const stop = words.takeIf('stop', 'continue') !== 'continue'
  const field = words.take(`a field (${FIELDS.join(', ')})`)
  if (field.text === 'edns0') reader.refuse(field, '"edns0" cannot be rewritten yet: no option of a client is sent on')
  const rule = readRule(words, field.text === '' ? 'name' : reader.choice(field, FIELDS))
  words.end()
  return { rule, stop }
}

const readRule = (words: Words, field: (typeof FIELDS)[number]): Rule => {
  switch (field) {
    case 'name':
      return readNameRule(words)
    case 'type':
      return typeRule(words.number('a type to rewrite', parseType), words.number('a type to make of it', parseType))
    case 'class':
      return classRule(
        words.number('a class to rewrite', parseClass),
        words.number('a class to make of it', parseClass),
      )
    case 'ttl':
      return ttlRule(readNames(words), readRange(words))
    case 'rcode':
      return rcodeRule(
        readNames(words),
        words.number('an RCODE to rewrite', parseRcode),
        words.number('an RCODE to make of it', parseRcode),
      )
    case 'cname':
      return cnameRule(readRenamer(words, readKind(words)).rewrite)
  }
}

const readKind = (words: Words): MatchKind => words.takeIf(...MATCHES) ?? 'exact'

const nothing: NameRewriter = () => undefined

const readNames = (words: Words): ((name: string) => boolean) => {
  const kind = readKind(words)
  const from = words.take('a name')
  return words.read(readMatcher(kind, from.text), from, () => false)
}

const readRenamer = (words: Words, kind: MatchKind): { rewrite: NameRewriter; from: Word; to: Word } => {
  const from = words.take('a name to rewrite')
  const to = words.take('a name to make of it')
  return { from, to, rewrite: words.read(readRewriter(kind, from.text, to.text), from, nothing) }
}

const readNameRule = (words: Words): Rule => {
  const kind = readKind(words)
  const { from, to, rewrite } = readRenamer(words, kind)
  const owners: NameRewriter[] = []
  const values: NameRewriter[] = []
  while (words.takeIf('answer')) {
    const what = words.reader.choice(words.take('"auto", "name" or "value"'), ['auto', 'name', 'value'])
    if (what === 'auto') {
      const back = backwards(words, kind, from, to)
      owners.push(back)
      values.push(back)
    } else {
      const { rewrite: renamer } = readRenamer(words, 'regex')
      const list = what === 'name' ? owners : values
      list.push(renamer)
    }
  }
  const renaming: Renaming = { owners, values }
  return nameRule(rewrite, renaming)
}

const backwards = (words: Words, kind: MatchKind, from: Word, to: Word): NameRewriter => {
  if (kind === 'regex' || kind === 'substring') {
    words.reader.refuse(from, `"answer auto" cannot undo "${kind}": say it with "answer name" and "answer value"`)
    return nothing
  }
  return words.read(readRewriter(kind, to.text, from.text), to, nothing)
}

/** `30`, `30-300`, `-300`, `30-`. */
const readRange = (words: Words): TtlRange => {
  const word = words.take('a TTL in seconds (30, 30-300, -300 or 30-)')
  const [, low = '', dash, high = ''] = /^(\d*)(-?)(\d*)$/.exec(word.text) ?? []
  const minimum = low === '' ? 0 : Number(low)
  const maximum = dash === '' ? minimum : high === '' ? MAXIMUM_TTL : Number(high)
  if (low + high === '' || dash === undefined || minimum > maximum || maximum > MAXIMUM_TTL)
    words.reader.refuse(word, `"${word.text}" is not a TTL in seconds (30, 30-300, -300 or 30-)`)
  return { minimum, maximum }
}
