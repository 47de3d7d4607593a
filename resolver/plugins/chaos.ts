/**
 * chaos: says who answers and how its caches do, as TXT records of class CH (RFC 4892 §2, dnsmasq's counters). Names that
 * it does not know are REFUSED: class CH has nothing else to offer.
 */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Word } from '../corefile/syntax.ts'
import type { CacheCounters, Plugin, PluginModule } from '../plugin.ts'
import type { Question } from '../query.ts'
import { answered, emptyAnswer } from '../verdict.ts'
import { classes, rcodes, recordTypes } from '../wire/codes.ts'
import { txtData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'

/** RFC 1035 §3.3: a character-string. */
const MAX_STRING = 255

const counters: readonly (keyof CacheCounters)[] = ['cachesize', 'insertions', 'evictions', 'misses', 'hits']

export const chaosPlugin: PluginModule = {
  name: 'chaos',
  setup(directive, _block, { version, hostname, plugins }) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    for (const word of directive.arguments) limitLength(reader, word)
    const [versionWord, ...authors] = directive.arguments.map(({ text }) => text)
    const named = versionWord ?? `Seamark-${version}`
    const texts = new Map<DnsName, () => readonly string[]>([
      ['version.bind.', () => [named]],
      ['version.server.', () => [named]],
      ['authors.bind.', () => (authors.length > 0 ? authors : ['the Seamark authors'])],
      ['hostname.bind.', () => [hostname]],
      ['id.server.', () => [hostname]],
    ])
    for (const counter of counters) texts.set(`${counter}.bind.`, () => [String(sumOf(counter, plugins()))])
    return reader.finish(
      (): Plugin => ({
        name: 'chaos',
        allClasses: true,
        handle(query, next) {
          const { question } = query
          const isChaosText = question.class === classes.CH && question.type === recordTypes.TXT
          const strings = isChaosText ? texts.get(question.canonicalName)?.() : undefined
          return strings ? answered('chaos', textAnswer(question, strings)) : next(query)
        },
      }),
    )
  },
}

const limitLength = (reader: DirectiveReader, word: Word): void => {
  if (Buffer.byteLength(word.text) > MAX_STRING) reader.refuse(word, `a text has at most ${MAX_STRING} bytes`)
}

/** The caches of all server blocks together: a client cannot know which of them it asks. */
const sumOf = (counter: keyof CacheCounters, plugins: readonly Plugin[]): number =>
  plugins.reduce((sum, plugin) => sum + (plugin.cacheCounters?.()[counter] ?? 0), 0)

const textAnswer = ({ name }: Question, strings: readonly string[]) =>
  emptyAnswer(rcodes.NOERROR, {
    answers: strings.map(text => ({
      name,
      type: recordTypes.TXT,
      class: classes.CH,
      ttl: 0,
      data: txtData.encode([Buffer.from(text)]),
    })),
  })
