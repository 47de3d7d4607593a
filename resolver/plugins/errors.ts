/**
 * errors: says on standard output why a query failed, one line each, in CoreDNS's words; `consolidate` sums up what would
 * flood the log.
 */
import type { RE2JS } from 're2js'
import type { Milliseconds, Timer } from '#lib/clock.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { readPattern } from '../corefile/pattern.ts'
import type { Property } from '../corefile/syntax.ts'
import type { Environment, Plugin, PluginModule, Reply } from '../plugin.ts'
import type { Query } from '../query.ts'
import { jsonLine } from '../reply-json.ts'
import { rcodes, typeName } from '../wire/codes.ts'

const levels = ['error', 'warning', 'info', 'debug'] as const
type Level = (typeof levels)[number]

const options = {
  consolidate: {
    kind: 'words',
    syntax: 'DURATION REGEXP [LEVEL] [show_first]',
    minimum: 2,
    maximum: 4,
    repeatable: true,
    absent: 'every failure is a line',
    doc: 'count failures whose line, or its reason alone, matches the RE2 pattern and print the sum once each DURATION (1s to 24h), at LEVEL (error, which is the default, warning, info or debug); `show_first` prints the first of them at once',
  },
  stacktrace: { kind: 'flag', doc: 'accepted for CoreDNS’s sake: bugs are logged with their stack always' },
} as const satisfies PropertyTable

const durationBounds = { minimum: 1000, maximum: 24 * 3_600_000 }

interface Rule {
  readonly period: Milliseconds
  readonly pattern: RE2JS
  readonly source: string
  readonly level: Level
  readonly showFirst: boolean
}

export const errorsPlugin: PluginModule = {
  name: 'errors',
  options,
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(1)
    // There is no other place to write to: CoreDNS takes the word for the sake of old Corefiles, too.
    if (directive.arguments[0]) reader.choice(directive.arguments[0], ['stdout'])
    const { consolidate } = reader.properties(options)
    const rules = consolidate.flatMap(property => readRule(reader, property))
    return reader.finish((): Plugin => new Errors(rules, environment))
  },
}

const readRule = (reader: DirectiveReader, { arguments: words }: Property): Rule[] => {
  const [periodWord, patternWord, ...rest] = words
  const period = reader.duration(periodWord!, durationBounds)
  const showFirst = rest.at(-1)?.text === 'show_first'
  const [levelWord, surplus] = showFirst ? rest.slice(0, -1) : rest
  if (surplus) reader.refuse(surplus, `"${surplus.text}" is one word too many`)
  const level = levelWord ? reader.choice(levelWord, levels) : 'error'
  const pattern = readPattern(reader, patternWord!)
  return pattern ? [{ period, pattern, source: patternWord!.text, level, showFirst }] : []
}

/** Failures that match a rule, since its period began. */
interface Sum {
  count: number
  readonly timer: Timer
}

class Errors implements Plugin {
  readonly name = 'errors'
  /** Failures are never given again. */
  readonly reportHits = (): void => {}
  readonly #rules: readonly Rule[]
  readonly #environment: Environment
  readonly #sums = new Map<Rule, Sum>()

  constructor(rules: readonly Rule[], environment: Environment) {
    this.#rules = rules
    this.#environment = environment
  }

  report({ question }: Query, { answer, by }: Reply): void {
    // A failure that the cache repeats was told when it happened.
    if (answer?.rcode !== rcodes.SERVFAIL || by === 'cache') return
    const cause = answer.extendedErrors?.map(error => error.text).find(text => text !== '') ?? 'no cause given'
    const message = by === '' ? cause : `plugin/${by}: ${cause}`
    const line = `${answer.rcode} ${question.name} ${typeName(question.type)}: ${message}`
    // CoreDNS's patterns are about the reason, which theirs may hold from its first word to its last.
    const fits = (text: string, { pattern }: Rule) => pattern.matcher(text).find()
    const rule = this.#rules.find(each => fits(line, each) || fits(cause, each))
    if (!rule) {
      this.#write('error', line)
      return
    }
    const sum = this.#sums.get(rule)
    if (sum) {
      sum.count++
      return
    }
    this.#sums.set(rule, { count: 1, timer: this.#environment.clock.after(rule.period, () => this.#sumUp(rule)) })
    if (rule.showFirst) this.#write(rule.level, line)
  }

  async close(): Promise<void> {
    for (const rule of this.#sums.keys()) this.#sumUp(rule)
  }

  #sumUp(rule: Rule): void {
    const { count, timer } = this.#sums.get(rule)!
    this.#sums.delete(rule)
    timer.cancel()
    if (rule.showFirst && count === 1) return
    const seconds = rule.period / 1000
    this.#write(rule.level, `${count} errors like '${rule.source}' occurred in last ${seconds}s`)
  }

  #write(level: Level, message: string): void {
    const { print, clock, overrides } = this.#environment
    const mark = level.toUpperCase()
    const isJson = overrides['log-format'] === 'json'
    print(isJson ? jsonLine(clock, mark, 'errors', message) : `[${mark}] plugin/errors: ${message}`)
  }
}
