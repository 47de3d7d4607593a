import { runInNewContext } from 'node:vm'
import test from 'ava'
import { inAscii } from '../../scripts/in-ascii.ts'

const same: Readonly<Record<string, string>> = {
  'a program of ASCII': "'a\\u00fc' + `b`",
  'a string': "'für … 😀'",
  'a template': `\`für $\{1 + 1} …\``,
  'a name': '(() => { const größe = 1; return { größe } })()',
  'the name of a property': '({ "naïve": 1, ж: 2 })',
  'a pattern': "'über'.replace(/[ü…]/, 'x')",
  'a pattern of whole characters': "'😀!'.replace(/[😀😁]/u, 'x')",
  'a character with a backslash of its own': "'\\ü' + '\\\\ü' + '\\\\\\ü'",
  'a pattern with a backslash of its own': "'ü!'.replace(/\\ü/, 'x') + '\\\\ü!'.replace(/\\\\ü/, 'x')",
  'a separator of lines': "'a\u2028b'",
}

for (const [what, code] of Object.entries(same))
  test(`${what} stays the same`, t => {
    const text = inAscii(code)
    t.notRegex(text, /[^\0-\x7f]/)
    t.deepEqual(runInNewContext(text), runInNewContext(code))
  })

const others: Readonly<Record<string, string>> = {
  'a text that keeps its escapes': 'String.raw`ü`',
  'a name beyond U+FFFF': 'const 𠮷 = 1',
  'a line that goes on after a separator': "'a\\\u2028b'",
}

for (const [what, code] of Object.entries(others)) test(`${what} is refused`, t => void t.throws(() => inAscii(code)))
