import test from 'ava'
import fc from 'fast-check'
import { formatDuration, parseDuration } from '#resolver/corefile/duration.ts'
import { parseCorefile } from '#resolver/corefile/parser.ts'
import type { Directive, Property } from '#resolver/corefile/syntax.ts'
import { problemsOf } from '../../support/dns-environment.ts'

const options = { file: 'Corefile', folder: '/nowhere', variables: { A: 'a b', B: '' } }

const pieces = fc.constantFrom(
  ...['{', '}', '\n', ' ', '"', '\\', '#', ',', '(s)', '(t)', 'import', 's', 't', '{$A}', '{%B%}', '{args.0}', '{$'],
  ...['.:53', 'tls://.', '10.0.0.0/9', 'cache', 'forward', 'errors', 'log', 'hosts', '192.0.2.1', '30', '5s', 'ttl'],
)
const anyText = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.array(pieces, { maxLength: 60 }).map(words => words.join(' ')),
  fc.array(pieces, { maxLength: 60 }).map(words => words.join('')),
)

test('law: whatever the text, there is a tree or problems with lines that it has; never a throw', t => {
  fc.assert(
    fc.property(anyText, text => {
      const lines = text.split('\n').length
      for (const problem of problemsOf(text)) {
        const line = Number(/^Corefile:(\d+): ./.exec(problem)?.[1])
        if (!(line >= 1 && line <= lines)) return false
      }
      return true
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

interface Line {
  readonly words: readonly string[]
  readonly body: readonly Line[]
}

const wordText = fc.string({ maxLength: 12 }).filter(text => !/\{[$%]|\{args|\\$|\\"/.test(text))
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,9}$/).filter(text => text !== 'import')
const words = fc.tuple(name, fc.array(wordText, { maxLength: 3 })).map(([first, rest]) => [first, ...rest])
const { line: lineOf } = fc.letrec<{ line: Line }>(tie => ({
  line: fc.record({ words, body: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('line'), { maxLength: 3 })) }),
}))

const quote = (word: string): string => (/^[a-z][a-z0-9_]*$/.test(word) ? word : `"${word.replaceAll('"', '\\"')}"`)

const write = ({ words: [first, ...rest], body }: Line): string => {
  const head = [first!, ...rest.map(quote)].join(' ')
  return body.length === 0 ? head : `${head} {\n${body.map(write).join('\n')}\n}`
}

const read = (found: Directive | Property): Line => ({
  words: [found.name.text, ...found.arguments.map(({ text }) => text)],
  body: ('body' in found ? found.body : found.properties).map(read),
})

test('law: what is written comes back, words, order and nesting', t => {
  fc.assert(
    fc.property(fc.array(lineOf, { maxLength: 4 }), lines => {
      const parsed = parseCorefile(`. {\n${lines.map(write).join('\n')}\n}`, options)
      t.true(parsed.ok)
      if (parsed.ok) t.deepEqual(parsed.value.blocks[0]?.directives.map(read), lines)
    }),
    { numRuns: 300 },
  )
})

test('law: durations come back', t => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), duration => parseDuration(formatDuration(duration)) === duration),
  )
  for (const [text, milliseconds] of Object.entries({ '1h30m': 5_400_000, '1.5h': 5_400_000, '100us': 0.1, '0': 0 }))
    t.is(parseDuration(text), milliseconds)
  for (const text of ['', '5', '-1s', '5 s', 's', '1d', '5s!']) t.is(parseDuration(text), undefined, text)
})
