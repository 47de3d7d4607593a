/** erratic: a server that misbehaves on purpose, to try clients on: it loses, delays and truncates every so manieth answer. */
import { type Milliseconds, sleep } from '#lib/clock.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Property } from '../corefile/syntax.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Question } from '../query.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { classes, extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import { aaaaData, aData } from '../wire/rdata.ts'

const options = {
  drop: {
    kind: 'words',
    syntax: '[AMOUNT]',
    minimum: 0,
    maximum: 1,
    absent: '2',
    doc: 'one in AMOUNT queries gets no reply (default 2; 0: all get one)',
  },
  truncate: {
    kind: 'words',
    syntax: '[AMOUNT]',
    minimum: 0,
    maximum: 1,
    absent: 'none',
    doc: 'one in AMOUNT replies has TC (default 2)',
  },
  delay: {
    kind: 'words',
    syntax: '[AMOUNT [DURATION]]',
    minimum: 0,
    maximum: 2,
    absent: 'none',
    doc: 'one in AMOUNT replies (default 2) comes DURATION late (1ms to 1m; default 100ms)',
  },
  large: { kind: 'flag', doc: 'thirty records in place of one' },
} as const satisfies PropertyTable

const amounts = { minimum: 0, maximum: 1_000_000, unit: 'queries' }
const delays = { minimum: 1, maximum: 60_000 }
const DEFAULT_AMOUNT = 2
const DEFAULT_DELAY = 100
const LARGE = 30

/** Addresses for documentation (RFC 5737 §3, RFC 3849 §2). */
const dataOf: Readonly<Record<number, Buffer>> = {
  [recordTypes.A]: aData.encode('192.0.2.53'),
  [recordTypes.AAAA]: aaaaData.encode('2001:db8::53'),
}

interface Settings {
  /** One in so many; 0: none. */
  readonly drop: number
  readonly truncate: number
  readonly delay: number
  readonly duration: Milliseconds
  /** Records in an answer. */
  readonly records: number
}

export const erraticPlugin: PluginModule = {
  name: 'erratic',
  options,
  setup(directive, _block, { clock }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    const settings = readSettings(reader)
    return reader.finish((): Plugin => {
      let queries = 0
      return {
        name: 'erratic',
        handle({ question }) {
          const count = queries++
          const isTurn = (amount: number): boolean => amount > 0 && count % amount === 0
          const verdict: Verdict = isTurn(settings.drop)
            ? { verdict: 'dropped', by: 'erratic' }
            : answered('erratic', answerOf(question, settings.records, isTurn(settings.truncate)))
          if (!isTurn(settings.delay) || verdict.verdict === 'dropped') return verdict
          return sleep(clock, settings.duration).then(() => verdict)
        },
      }
    })
  },
}

const readSettings = (reader: DirectiveReader): Settings => {
  const { drop, truncate, delay, large } = reader.properties(options)
  const amountOf = ([line]: readonly Property[], absent: number): number => {
    if (!line) return absent
    const [word] = line.arguments
    return word ? reader.number(word, amounts) : DEFAULT_AMOUNT
  }
  // CoreDNS: without lines, half of the queries are dropped; with others, none unless it is said.
  const isPlain = truncate.length + delay.length === 0
  const duration = delay[0]?.arguments[1]
  return {
    drop: amountOf(drop, isPlain ? DEFAULT_AMOUNT : 0),
    truncate: amountOf(truncate, 0),
    delay: amountOf(delay, 0),
    duration: duration ? reader.duration(duration, delays) : DEFAULT_DELAY,
    records: large ? LARGE : 1,
  }
}

const answerOf = ({ name, type }: Question, count: number, truncated: boolean): Answer => {
  const data = dataOf[type]
  if (!data) {
    const extendedErrors = [{ code: extendedErrorCodes.NOT_SUPPORTED, text: 'erratic knows A and AAAA alone' }]
    return emptyAnswer(rcodes.SERVFAIL, { extendedErrors })
  }
  const record = { name, type, class: classes.IN, ttl: 0, data }
  return emptyAnswer(rcodes.NOERROR, { authoritative: true, truncated, answers: Array(count).fill(record) })
}
