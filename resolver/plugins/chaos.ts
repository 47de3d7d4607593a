/**
 * chaos: says who answers and how it does, as TXT records of class CH (RFC 4892 §2): the server's identity, dnsmasq's ten
 * names, and what other plugins have to tell (`Plugin.chaosText`). Names that nobody knows are REFUSED: class CH has
 * nothing else to offer.
 */
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Word } from '../corefile/syntax.ts'
import type { Next } from '../next.ts'
import type { CacheCounters, Environment, Plugin, PluginModule, Reply } from '../plugin.ts'
import type { Query, Question } from '../query.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { classes, rcodes, recordTypes } from '../wire/codes.ts'
import { txtData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'

/** RFC 1035 §3.3: a character-string. */
const MAX_STRING = 255

const counters: readonly (keyof CacheCounters)[] = ['cachesize', 'insertions', 'evictions', 'misses', 'hits']

export const chaosPlugin: PluginModule = {
  name: 'chaos',
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    for (const word of directive.arguments) limitLength(reader, word)
    const [version, ...authors] = directive.arguments.map(({ text }) => text)
    return reader.finish((): Plugin => new Chaos({ version, authors }, environment))
  },
}

const limitLength = (reader: DirectiveReader, word: Word): void => {
  if (Buffer.byteLength(word.text) > MAX_STRING) reader.refuse(word, `a text has at most ${MAX_STRING} bytes`)
}

interface Identity {
  readonly version: string | undefined
  readonly authors: readonly string[]
}

/** The records of a name, each with its strings. */
type Texts = () => readonly (readonly string[])[]

class Chaos implements Plugin {
  readonly name = 'chaos'
  /** Its own answers are of the moment, and given once. */
  readonly steady = true
  readonly transparent = true
  readonly allClasses = true
  readonly #plugins: () => readonly Plugin[]
  readonly #texts: ReadonlyMap<DnsName, Texts>
  #authoritative = 0

  constructor({ version, authors }: Identity, environment: Environment) {
    const { hostname, plugins } = environment
    this.#plugins = plugins
    const named = version ?? `Seamark-${environment.version}`
    const written = authors.length > 0 ? authors : ['the Seamark authors']
    const texts = new Map<DnsName, Texts>([
      ['version.bind.', () => [[named]]],
      ['version.server.', () => [[named]]],
      ['authors.bind.', () => written.map(author => [author])],
      ['copyright.bind.', () => [['Copyright the Seamark authors; Apache License 2.0']]],
      ['hostname.bind.', () => [[hostname]]],
      ['id.server.', () => [[hostname]]],
      ['auth.bind.', () => [[String(authoritativeOf(plugins()))]]],
    ])
    for (const counter of counters) texts.set(`${counter}.bind.`, () => [[String(sumOf(counter, plugins()))]])
    this.#texts = texts
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { question } = query
    if (question.class !== classes.CH || question.type !== recordTypes.TXT) return next(query)
    const records = this.#texts.get(question.canonicalName)?.() ?? this.#told(question.canonicalName)
    return records.length > 0 ? answered('chaos', textAnswer(question, records)) : next(query)
  }

  /** Counts answers from data of the server's own, as dnsmasq counts those of its zones. */
  report(query: Query, reply: Reply): void {
    this.reportHits(query, reply, 1)
  }

  reportHits(_query: Query, { answer }: Reply, hits: number): void {
    if (answer?.authoritative) this.#authoritative += hits
  }

  adopt(previous: Plugin): void {
    if (previous instanceof Chaos) this.#authoritative = previous.#authoritative
  }

  get authoritativeAnswers(): number {
    return this.#authoritative
  }

  /** What other plugins have to tell under the name, as one record. */
  #told(name: DnsName): readonly (readonly string[])[] {
    const strings = this.#plugins().flatMap(plugin => plugin.chaosText?.(name) ?? [])
    return strings.length > 0 ? [strings] : []
  }
}

/** Of all blocks that have the plugin: a client cannot know which of them it asks. */
const authoritativeOf = (plugins: readonly Plugin[]): number =>
  plugins.reduce((sum, plugin) => sum + (plugin instanceof Chaos ? plugin.authoritativeAnswers : 0), 0)

/** The caches of all server blocks together. */
const sumOf = (counter: keyof CacheCounters, plugins: readonly Plugin[]): number =>
  plugins.reduce((sum, plugin) => sum + (plugin.cacheCounters?.()[counter] ?? 0), 0)

const textAnswer = ({ name }: Question, records: readonly (readonly string[])[]) =>
  emptyAnswer(rcodes.NOERROR, {
    answers: records.map(strings => ({
      name,
      type: recordTypes.TXT,
      class: classes.CH,
      ttl: 0,
      data: txtData.encode(strings.map(text => Buffer.from(text))),
    })),
  })
