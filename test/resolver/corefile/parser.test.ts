import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parseCorefile } from '#resolver/corefile/parser.ts'
import { type Corefile, formatProblem, type Property } from '#resolver/corefile/syntax.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const parse = (text: string, folder = '/nowhere', variables: Record<string, string> = {}) =>
  parseCorefile(text, { file: 'Corefile', folder, variables })

const line = (name: string, words: readonly { text: string }[], body: readonly Property[]): unknown => [
  name,
  ...words.map(({ text }) => text),
  ...(body.length > 0 ? [body.map(one => line(one.name.text, one.arguments, one.body))] : []),
]

/** Blocks as `[keys, …directives]`, each line as its words with an array for what stands in braces. */
const outline = ({ blocks }: Corefile): unknown =>
  blocks.map(({ keys, directives }) => [
    keys.map(({ text }) => text).join(' '),
    ...directives.map(one => line(one.name.text, one.arguments, one.properties)),
  ])

const understood: Record<string, readonly [text: string, outline: unknown]> = {
  'an empty file': ['# nothing\n\n', []],
  'a block': ['.:53 {\n  errors\n  cache 30\n}\n', [['.:53', ['errors'], ['cache', '30']]]],
  'several blocks': [
    'a { errors }\nb{ {\n errors\n}',
    [
      ['a', ['errors']],
      ['b{', ['errors']],
    ],
  ],
  'a file that is one block without braces': [
    '.:53\nerrors\ncache 30 {\n success 9\n}\n',
    [['.:53', ['errors'], ['cache', '30', [['success', '9']]]]],
  ],
  'keys alone': ['.:53', [['.:53']]],
  'several keys, by space, comma and comma at the line end': ['a b, c,d,\n  e {\n}', [['a b c d e']]],
  'the brace of a block on its own line': ['a\n{\n errors\n}', [['a', ['errors']]]],
  'braces in braces': [
    '. {\n t A {\n  match "x {y} z"\n  q {\n   r s\n  }\n }\n}',
    [
      [
        '.',
        [
          't',
          'A',
          [
            ['match', 'x {y} z'],
            ['q', [['r', 's']]],
          ],
        ],
      ],
    ],
  ],
  'quotes: white space, escapes, line ends, a brace as a word': [
    '. {\n log "a \\"b\\" \\d" "x\ny" "{"\n errors\n}',
    [['.', ['log', 'a "b" \\d', 'x\ny', '{'], ['errors']]],
  ],
  'empty words': ['. {\n log ""\n}', [['.', ['log', '']]]],
  'comments, also inside a word': ['. { # open\n cache#30\n # all\n}', [['.', ['cache']]]],
  'a continued line': ['. {\n cache \\\n  30\\\n  example.org\n}', [['.', ['cache', '30', 'example.org']]]],
  'carriage returns and a byte order mark': ['\ufeff. {\r\n cache 30\r\n}\r\n', [['.', ['cache', '30']]]],
  'placeholders that are no variables': [
    '. {\n log {remote} {/kubernetes/ns} {>id}\n}',
    [['.', ['log', '{remote}', '{/kubernetes/ns}', '{>id}']]],
  ],
  'variables of both spellings, undefined ones empty': [
    '{$ZONE}:{%PORT%} {\n log x{$NONE}y {$TWO}\n}',
    [['example.org:53', ['log', 'xy', 'two words']]],
  ],
  'a snippet, used twice': ['(s) {\n errors\n}\na {\n import s\n import s\n}', [['a', ['errors'], ['errors']]]],
  'a snippet with arguments': [
    '(s) {\n cache {args.0} {args[1]}\n log {args}\n}\na {\n import s 5 b\n}',
    [['a', ['cache', '5', 'b'], ['log', '5', 'b']]],
  ],
  'a snippet of properties': [
    '(s) {\n success 9\n}\na {\n cache {\n  import s\n  denial 8\n }\n}',
    [
      [
        'a',
        [
          'cache',
          [
            ['success', '9'],
            ['denial', '8'],
          ],
        ],
      ],
    ],
  ],
  'a snippet of whole blocks': [
    '(s) {\n a {\n  errors\n }\n}\nimport s\nb {\n log\n}',
    [
      ['a', ['errors']],
      ['b', ['log']],
    ],
  ],
  'a snippet within a snippet': [
    '(s) {\n errors\n}\n(t) {\n import s\n log\n}\na {\n import t\n}',
    [['a', ['errors'], ['log']]],
  ],
}

for (const [name, [text, expected]] of Object.entries(understood))
  test(`understands ${name}`, t => {
    const parsed = parse(text, '/nowhere', { ZONE: 'example.org', PORT: '53', TWO: 'two words' })
    t.true(parsed.ok, parsed.ok ? '' : formatProblem(parsed.problem))
    if (parsed.ok) t.deepEqual(outline(parsed.value), expected)
  })

const misunderstood: Record<string, readonly [text: string, problem: string]> = {
  'a NUL character': ['.:53 {\n tls \0 key\n}', 'Corefile:2: a NUL character: this is no text'],
  'a block that is never closed': [
    '.:53 {\n errors\n',
    'Corefile:1: the server block ".:53" opens here and is never closed: a "}" is missing',
  ],
  'a directive that is never closed': [
    '.:53 {\n cache {\n  success 9\n}\n',
    'Corefile:1: the server block ".:53" opens here and is never closed: a "}" is missing',
  ],
  'braces of which the inner is missing': [
    'a {\n cache {\n',
    'Corefile:2: "cache {" opens here and is never closed: a "}" is missing',
  ],
  'a brace too many': [
    'a {\n errors\n}\n}\n',
    'Corefile:4: this "}" closes nothing: there is one "{" too few above it',
  ],
  'a closing brace in a file without an opening one': [
    'a\nerrors\n}\n',
    'Corefile:3: this "}" closes nothing: there is one "{" too few above it',
  ],
  'a brace without a key': ['{\n errors\n}', 'Corefile:1: a server block needs a zone before its "{" (like ".:53 {")'],
  'a brace on the line after its directive': [
    'a {\n cache\n {\n }\n}',
    'Corefile:3: a "{" stands at the end of the line that it belongs to',
  ],
  'a comma with nothing behind it': ['a, {\n}', 'Corefile:1: a zone is expected after the comma'],
  'a second block without braces': [
    'a {\n}\nb\nerrors\n',
    'Corefile:3: "{" expected after the zones of the server block "b"',
  ],
  'an open quote': ['a {\n log "x\n}\n', 'Corefile:2: the quote that opens here is never closed'],
  'a snippet twice': ['(s) {\n}\n(s) {\n}', 'Corefile:3: the snippet "s" is defined twice'],
  'a snippet that is never closed': [
    '(s) {\n errors\n',
    'Corefile:1: the snippet "s" opens here and is never closed: a "}" is missing',
  ],
  'a snippet that imports itself': [
    '(s) {\n import t\n}\n(t) {\n import s\n}\na {\n import s\n}',
    'Corefile:5: import: the snippet "s" imports itself',
  ],
  'an argument that is not given': [
    '(s) {\n\n cache {args.1}\n}\na {\n import s 5\n}',
    'Corefile:6: import: 1 arguments given, but the snippet uses {args.1} at Corefile:3',
  ],
  'an import without a name': ['a {\n import\n}', 'Corefile:2: import: name a snippet, a file or a pattern'],
  'more than one wildcard': ['import */*', 'Corefile:1: import: "*/*" has more than one wildcard'],
  'arguments for what is no snippet': [
    'a {\n import s 5\n}',
    'Corefile:2: import: no snippet "s" is defined above, and a file takes no arguments',
  ],
}

for (const [name, [text, expected]] of Object.entries(misunderstood))
  test(`tells of ${name}`, t => {
    const parsed = parse(text)
    t.is(parsed.ok ? 'understood' : formatProblem(parsed.problem), expected)
  })

test('snippets that double do not fill the memory', t => {
  const doubling = Array.from(
    { length: 40 },
    (_, index) => `(s${index + 1}) {\n import s${index}\n import s${index}\n}\n`,
  )
  const parsed = parse(`(s0) {\n errors\n}\n${doubling.join('')}a {\n import s40\n}`)
  t.regex(parsed.ok ? '' : parsed.problem.message, /more than 1000 imports/)
})

test('files: relative to the importing file, by pattern in order, with lines of their own, never in a circle', t => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'sites'))
  writeFileSync(join(folder, 'shared.conf'), 'import sites/*.server\n(s) {\n log\n}\n')
  writeFileSync(join(folder, 'sites', 'b.server'), 'b {\n import inner.conf\n}\n')
  writeFileSync(join(folder, 'sites', 'a.server'), 'a {\n errors\n}\n')
  writeFileSync(join(folder, 'sites', 'inner.conf'), 'cache 7\n')
  const files: string[] = []
  const parsed = parseCorefile('import shared.conf\nimport none/*\nc {\n import s\n}', {
    file: 'Corefile',
    folder,
    variables: {},
    onFile: path => void files.push(path.replace(folder, '')),
  })
  t.true(parsed.ok)
  if (!parsed.ok) return
  t.deepEqual(outline(parsed.value), [
    ['a', ['errors']],
    ['b', ['cache', '7']],
    ['c', ['log']],
  ])
  t.deepEqual(files, ['Corefile', '/shared.conf', '/sites/a.server', '/sites/b.server', '/sites/inner.conf'])
  t.deepEqual(parsed.value.blocks[1]!.directives[0]!.name.position, { file: join(folder, 'sites/inner.conf'), line: 1 })

  writeFileSync(join(folder, 'sites', 'inner.conf'), '\nimport b.server\n')
  const circle = parse('import shared.conf', folder)
  t.is(
    circle.ok ? '' : formatProblem(circle.problem),
    `${join(folder, 'sites/inner.conf')}:2: import: "${join(folder, 'sites/b.server')}" imports itself`,
  )
  const missing = parse('(share) {\n}\na {\n import shre\n}', folder)
  t.regex(
    missing.ok ? '' : formatProblem(missing.problem),
    /^Corefile:4: import: no snippet "shre" is defined above, and as a file it cannot be read \(ENOENT.*\); did you mean "share"\?$/,
  )
})
