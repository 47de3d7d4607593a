/**
 * Templates and what clients ask of them: the last line is the name that is asked for, label by label, the others are the
 * template. Whatever comes of it is a record or a problem, and a name stays one word of the record.
 */
import assert from 'node:assert'
import { RE2JS } from 're2js'
import { matchName, questionData, templateName } from '#resolver/template/data.ts'
import { parseTemplate } from '#resolver/template/parse.ts'
import { parseRecord } from '#resolver/template/record-template.ts'
import { renderTemplate } from '#resolver/template/render.ts'
import { TemplateError } from '#resolver/template/value.ts'
import { readName } from '#resolver/wire/name.ts'
import { makeQuery } from '../../support/dns-environment.ts'
import { mutated } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'
import { wireOf } from '../wire-name.ts'

const words = [
  ...[
    '{{',
    '}}',
    '{{- ',
    ' -}}',
    '/*',
    '*/',
    '"',
    '`',
    '\\"',
    '(',
    ')',
    '|',
    '.',
    '$x',
    '{{ if ',
    '{{ else }}',
    '{{ else if ',
  ],
  ...[
    '{{ end }}',
    '.Name',
    '.Zone',
    '.Group.a',
    '.Group',
    '.Match',
    '.Meta "a/b"',
    '.Message',
    '.Question.Name',
    '.Remote',
  ],
  ...[
    'index .Match 1 ',
    'printf "%5d-%-9s%03x%q%c" ',
    '%999999999d',
    'parseInt .Group.a 16 8 ',
    'slice .Name 1 2 ',
    'len ',
  ],
  ...['eq ', 'not ', 'and ', 'or ', 'lt ', 'print ', 'true', 'nil', '-1', '0x10', '1114112', '18446744073709551616'],
  ...[
    ' 60 IN A 192.0.2.1',
    ' IN TXT "',
    ' IN MX 10 ',
    ' \\# 4 0a000001',
    '; x',
    '\n',
    '@',
    '*',
    'a-1.example',
    '\0',
    'ü',
  ],
].map(text => Buffer.from(text))

const patterns = [RE2JS.compile('^(?P<a>[^.-]*)-?([^.]*)\\.'), RE2JS.compile('.*')]

export const templateTarget: FuzzTarget = {
  name: 'template',
  seedForm: 'text',
  words,
  mutate: (numbers, input) => mutated(numbers, input, words),
  run(input) {
    const line = input.lastIndexOf(0x0a)
    const { name } = readName(wireOf(input.subarray(line + 1)), 0)!
    const query = makeQuery(name)
    const match = matchName(patterns, templateName(query))
    assert(match, name)
    const data = questionData(query, '.', match, new Map())
    const own = parseTemplate('{{ .Name }} 60 IN A 192.0.2.1')
    assert(own.ok)
    const record = parseRecord(renderTemplate(own.value, data))
    assert(record.ok, record.ok ? '' : record.problem)
    assert.equal(record.value.name, query.question.canonicalName)
    const template = parseTemplate(input.toString('utf8', 0, Math.max(0, line)))
    if (!template.ok) return assert(template.problem !== '')
    try {
      const made = parseRecord(renderTemplate(template.value, data))
      assert(made.ok || (made.problem !== '' && !made.problem.includes('[object')))
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
    }
  },
}
