import test from 'ava'
import fc from 'fast-check'
import { jsonProblem } from '#cluster/api/json-problem.ts'

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const CASES: readonly [text: string, problem: string][] = [
  ['', 'unexpected end of JSON input'],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
  ['[1 2]', "invalid character '2' after array element"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
  ['{} {}', "invalid character '{' after top-level value"],
  ['01', "invalid character '1' after top-level value"],
  ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
  ['tru', "invalid character ' ' in literal true (expecting 'e')"],
  ['falsy', "invalid character 'y' in literal false (expecting 'e')"],
  ['-', "invalid character ' ' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['1e+', "invalid character ' ' in exponent of numeric literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['"\n"', "invalid character '\\n' in string literal"],
  ['"a', 'unexpected end of JSON input'],
  ['\u0007', "invalid character '\\a' looking for beginning of value"],
  ['é', "invalid character 'Ã' looking for beginning of value"],
  ['\u007f', "invalid character '\\x7f' looking for beginning of value"],
  ['[', 'unexpected end of JSON input'],
]

test("what is wrong is told in Go's words", t => {
  for (const [text, problem] of CASES) t.is(jsonProblem(text), problem, text)
  t.is(jsonProblem('['.repeat(10_001)), 'exceeded max depth')
})

test('there is a problem exactly where there is no JSON', t => {
  const pieces = fc.constantFrom(
    ...'{}[]:,"\\ eE+-.019tfnul',
    'true',
    'null',
    '"a"',
    '\\u00e9',
    '1.5e3',
    '\t',
    'é',
    '\u0001',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), parts => {
      const text = parts.join('')
      t.is(jsonProblem(text) === undefined, isJson(text), text)
    }),
    { numRuns: 3_000 },
  )
  fc.assert(fc.property(fc.json(), text => t.is(jsonProblem(text), undefined)))
})
