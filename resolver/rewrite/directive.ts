/** CoreDNS's `rewrite` directive, on one line or in braces: the words are the same. */
import type { Result } from '#lib/result.ts'
import type { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Directive, Word } from '../corefile/syntax.ts'
import { parseClass, parseRcode, parseType } from '../wire/codes.ts'
import {
  clientSubnet,
  ECS,
  type EdnsAction,
  ednsActions,
  ednsRule,
  emptyData,
  NSID,
  type OptionData,
  readOptionData,
} from './edns-rule.ts'
import {
  MATCHES,
  type MatchKind,
  type NameRewriter,
  readMatcher,
  readMetadataRewriter,
  readRewriter,
} from './name-pattern.ts'
import type { Renaming } from './rename-answer.ts'
import { classRule, cnameRule, nameRule, type Rule, rcodeRule, type TtlRange, ttlRule, typeRule } from './rule.ts'

export interface RewriteSettings {
  readonly rule: Rule
  /** Whether later rules leave a question alone that this one has rewritten. */
  readonly stop: boolean
  /** Whether the rule looks at nothing of a query but its question. */
  readonly steady: boolean
}

const FIELDS = ['name', 'type', 'class', 'edns0', 'ttl', 'cname', 'rcode'] as const
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

  isNext(texts: readonly string[]): boolean {
    return texts.includes(this.peek()?.text ?? '')
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
  const chosen = field.text === '' ? 'name' : reader.choice(field, FIELDS)
  const settings = readSettings(words, chosen)
  words.end()
  return { ...settings, stop }
}

const readSettings = (words: Words, field: (typeof FIELDS)[number]): Omit<RewriteSettings, 'stop'> => {
  if (field === 'name') return readNameRule(words)
  return field === 'edns0'
    ? { rule: readEdnsRule(words), steady: false }
    : { rule: readRule(words, field), steady: true }
}

const readRule = (words: Words, field: Exclude<(typeof FIELDS)[number], 'name' | 'edns0'>): Rule => {
  switch (field) {
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
        words.number('an RCODE to rewrite', parseRcodeOrNumber),
        words.number('an RCODE to make of it', parseRcodeOrNumber),
      )
    case 'cname':
      return cnameRule(readRenamer(words, readKind(words)).rewrite)
  }
}

const parseRcodeOrNumber = (text: string): number | undefined => parseRcode(/^\d/.test(text) ? `RCODE${text}` : text)

const kinds = ['local', 'nsid', 'subnet'] as const

const readEdnsRule = (words: Words): Rule => {
  const kind = words.reader.choice(words.take('"local", "nsid" or "subnet"'), kinds)
  const action = words.reader.choice(words.take(`an action (${ednsActions.join(', ')})`), ednsActions)
  const rule = readOptionRule(words, kind, action)
  // What an upstream says in its OPT is not passed on: there is nothing to put back.
  words.takeIf('revert')
  return rule
}

const readOptionRule = (words: Words, kind: (typeof kinds)[number], action: EdnsAction): Rule => {
  switch (kind) {
    case 'nsid':
      return ednsRule(action, NSID, emptyData)
    case 'subnet': {
      if (action === 'unset') return ednsRule(action, ECS, emptyData)
      const bits4 = words.number('a number of bits of an IPv4 address (0 to 32)', parseUpTo(32))
      return ednsRule(
        action,
        ECS,
        clientSubnet(bits4, words.number('a number of bits of an IPv6 address (0 to 128)', parseUpTo(128))),
      )
    }
    case 'local': {
      const code = words.number('the code of an option (like 65518 or 0xffee)', parseUpTo(0xffff))
      return ednsRule(action, code, action === 'unset' ? emptyData : readData(words))
    }
  }
}

const readData = (words: Words): OptionData => {
  const word = words.take('the data of the option')
  const data = readOptionData(word.text)
  if (!data && word.text !== '')
    words.reader.refuse(
      word,
      `"${word.text}" is not data of an option (text, 0x and hexadecimal digits, or a {variable})`,
    )
  return data ?? emptyData
}

const parseUpTo = (maximum: number) => (text: string) => {
  const number = /^(?:\d{1,5}|0x[\da-f]{1,4})$/i.test(text) ? Number(text) : Number.NaN
  return number <= maximum ? number : undefined
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

const readNameRule = (words: Words): Omit<RewriteSettings, 'stop'> => {
  const kind = readKind(words)
  const { from, to, rewrite } = readRenamer(words, kind)
  const metadata = words.peek()
  const hasMetadata = words.takeIf('metadata') !== undefined
  if (hasMetadata && kind !== 'regex') words.reader.refuse(metadata!, '"metadata" is for regex rules alone')
  const withMetadata = hasMetadata ? words.read(readMetadataRewriter(from.text, to.text), to, nothing) : undefined
  const owners: NameRewriter[] = []
  const values: NameRewriter[] = []
  let isAuto = false
  const kinds = ['auto', 'name', 'value'] as const
  // The word may be left out behind the first one.
  for (let isFirst = true; words.takeIf('answer') || (!isFirst && words.isNext(kinds)); isFirst = false) {
    const what = words.reader.choice(words.take('"auto", "name" or "value"'), kinds)
    if (what === 'auto') {
      isAuto = true
      const back = backwards(words, kind, from, to)
      if (back) owners.push(back)
      if (back) values.push(back)
    } else {
      const { rewrite: renamer } = readRenamer(words, 'regex')
      const list = what === 'name' ? owners : values
      list.push(renamer)
    }
  }
  const renaming: Renaming = { owners, values, restoresValues: isAuto }
  return { rule: nameRule(withMetadata ?? rewrite, renaming), steady: !hasMetadata }
}

/** Undefined: what a pattern or a part of a name became cannot be told back, but for the question's own name. */
const backwards = (words: Words, kind: MatchKind, from: Word, to: Word): NameRewriter | undefined => {
  if (kind === 'regex' || kind === 'substring') return undefined
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
