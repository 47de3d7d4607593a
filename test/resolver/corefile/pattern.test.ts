import test from 'ava'
import { compilePattern } from '#resolver/corefile/pattern.ts'
import { problemsOf } from '../../support/dns-environment.ts'

test('of RE2; what is none is told in one way, whoever takes patterns', t => {
  const good = compilePattern('^(?P<host>a+)$')
  t.true(good.ok && good.value.matcher('aaa').find())
  const told = '"(" is no regular expression of RE2: error parsing regexp: missing closing ): `(`'
  t.deepEqual(compilePattern('('), { ok: false, problem: told })
  for (const [directive, where] of Object.entries({
    'template IN A {\nmatch (\n}': 'template: ',
    'rewrite name regex ( a.': 'rewrite: ',
    'auto {\ndirectory . ( {1}\n}': 'auto: ',
    'errors {\nconsolidate 1m (\n}': 'errors: ',
    'view a {\nexpr "name() matches \'(\'"\n}': `view: expr: column 16, "'('": `,
  }))
    t.true(problemsOf(`. {\n${directive}\n}`)[0]!.endsWith(where + told), problemsOf(`. {\n${directive}\n}`)[0])
})

test('of at most 10,000 characters', t => {
  t.true(compilePattern('a'.repeat(10_000)).ok)
  const problem = `"${'a'.repeat(20)}…" is a regular expression of more than 10000 characters`
  t.deepEqual(compilePattern('a'.repeat(10_001)), { ok: false, problem })
})
