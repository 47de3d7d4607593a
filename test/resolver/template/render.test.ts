import test from 'ava'
import { fieldsOf, parseTemplate } from '#resolver/template/parse.ts'
import { renderTemplate } from '#resolver/template/render.ts'
import { TemplateError, type Value } from '#resolver/template/value.ts'

const data = new Map<string, Value>([
  ['Name', 'ip-7f000001.example.'],
  ['Match', ['whole', '7f', '']],
  [
    'Group',
    new Map<string, Value>([
      ['a', '7f'],
      ['empty', ''],
    ]),
  ],
  ['Meta', key => `meta of ${String(key)}`],
  ['Number', 42n],
  ['Yes', true],
])

const render = (text: string): string => {
  const template = parseTemplate(text)
  if (!template.ok) throw new Error(template.problem)
  return renderTemplate(template.value, data)
}

/** What Go's text/template makes of them. */
const rendered: Record<string, string> = {
  'plain text, {braces} included': 'plain text, {braces} included',
  '{{ .Name }} {{.Name}}': 'ip-7f000001.example. ip-7f000001.example.',
  '{{ .Group.a }}{{ .Group.missing }}': '7f<no value>',
  '{{ index .Match 1 }}-{{ index .Match 0 }}': '7f-whole',
  '{{ index .Group "a" }}': '7f',
  '{{ parseInt .Group.a 16 8 }}': '127',
  '{{ parseInt "ffffffffffffffff" 16 64 }}': '18446744073709551615',
  '{{ .Meta "kubernetes/namespace" }}': 'meta of kubernetes/namespace',
  '{{ printf "%d-%s-%03d-%x-%X-%q-%%" 7 .Group.a 5 255 .Group.a "q" }}': '7-7f-005-ff-3766-"q"-%',
  '{{ 7 | printf "%-3d|%4d" 1 }}': '1  |   7',
  '{{ .Group.a | printf "%s!" | len }}': '3',
  '{{ printf "%d" (parseInt .Group.a 16 8) }}': '127',
  '{{ slice .Name 3 5 }}{{ slice .Name 18 }}': '7fe.',
  '{{ if eq .Group.a "7f" }}yes{{ else }}no{{ end }}': 'yes',
  '{{ if eq .Group.a "x" "7f" }}yes{{ end }}': 'yes',
  '{{ if .Group.empty }}a{{ else if lt .Number 43 }}b{{ else }}c{{ end }}': 'b',
  '{{ if and .Yes (not .Group.empty) (ge .Number 42) (le .Number 42) (gt 2 1) (ne 1 2) }}t{{ end }}': 't',
  '{{ or .Group.empty "other" }}': 'other',
  '{{ if .Yes }}{{ if .Group.empty }}x{{ end }}y{{ end }}': 'y',
  'a {{- " b " -}} c': 'a b c',
  'a{{/* a }} comment */}}b': 'ab',
  'a {{- /* a comment */ -}} b': 'ab',
  'a {{-\n"b"\t-}} c': 'abc',
  '{{ printf "%c%c%c" 65 55296 1114112 }}': 'A\ufffd\ufffd',
  '{{ `raw "text"` }}{{ "a\\tb" }}{{ "}}" }}': 'raw "text"a\tb}}',
  '{{ .Match }} {{ .Group }} {{ true }} {{ nil }} {{ -3 }} {{ 0x10 }}':
    '[whole 7f ] map[a:7f empty:] true <no value> -3 16',
  '{{ print 1 "a" }}{{ len .Match }}{{ len .Group }}': '1a32',
}

for (const [text, expected] of Object.entries(rendered)) test(text, t => t.is(render(text), expected))

const problems: Record<string, RegExp> = {
  'a {{ .Name': /never closed/,
  '{{ }}': /a value is missing/,
  '{{ .Name | }}': /a value is missing/,
  '{{ range .Match }}{{ end }}': /"range" is not known here/,
  '{{ $x := 1 }}': /variables/,
  '{{ pars .Name }}': /unknown function "pars"/,
  '{{ prntf "%d" 1 }}': /unknown function "prntf"; did you mean "printf"\?/,
  '{{ if .Yes }}': /without "\{\{end\}\}"/,
  '{{ if .Yes }}{{ else }}': /without "\{\{end\}\}"/,
  '{{ end }}': /without "\{\{if/,
  '{{ if .Yes }}{{ else what }}{{ end }}': /not understood/,
  '{{ (.Name }}': /"\(" without "\)"/,
  '{{ .Name) }}': /"\)" without "\("/,
  '{{ "a" .Name }}': /a function is missing/,
  '{{ 12ab }}': /not a whole number/,
  '{{ "\\x" }}': /is not a string/,
  '{{ .Name. }}': /not understood/,
  '{{ .Name /* a comment */ }}': /not understood/,
  '{{ /* a */ .Name /* b */ }}': /not understood/,
  '{{ "a }}': /never closed/,
  '{{ /* a }}': /never closed/,
  [`{{ ${'('.repeat(101)} }}`]: /more than 100 "\("/,
  ['{{ if .Yes }}'.repeat(101)]: /more than 100 "if"/,
}

for (const [text, expected] of Object.entries(problems))
  test(`problem: ${text}`, t => {
    const template = parseTemplate(text)
    t.false(template.ok)
    if (!template.ok) t.regex(template.problem, expected)
  })

const failures: Record<string, RegExp> = {
  '{{ parseInt "7g" 16 8 }}': /invalid syntax "7g"/,
  '{{ parseInt "" 10 8 }}': /invalid syntax/,
  '{{ parseInt "256" 10 8 }}': /out of range/,
  '{{ parseInt "1" 99 8 }}': /invalid base/,
  '{{ parseInt "1" 10 65 }}': /invalid bit size/,
  '{{ parseInt "1" 10 -1 }}': /invalid bit size/,
  '{{ printf "%65536d" 1 }}': /wider than/,
  '{{ index .Match 3 }}': /out of range: 3/,
  '{{ index .Yes 0 }}': /wants a list/,
  '{{ slice .Name 30 }}': /out of range/,
  '{{ printf "%d" .Name }}': /wants a number/,
  '{{ printf "%d" }}': /nothing left/,
  '{{ printf "x" 1 }}': /more values/,
  '{{ printf "%z" 1 }}': /no verb/,
  '{{ eq 1 "1" }}': /two of a kind/,
  '{{ lt 1 "1" }}': /two of a kind/,
  '{{ len .Yes }}': /len wants/,
  '{{ .Name 1 }}': /is no function/,
  '{{ .Name.Sub }}': /has no \.Sub/,
}

for (const [text, expected] of Object.entries(failures))
  test(`failure: ${text}`, t => void t.throws(() => render(text), { instanceOf: TemplateError, message: expected }))

test('the fields that a template names, wherever', t => {
  const template = parseTemplate('{{ .A }}{{ if .B.c }}{{ printf "%s" (.D) | len }}{{ else }}{{ .E }}{{ end }}')
  t.deepEqual(template.ok && fieldsOf(template.value), [['A'], ['B', 'c'], ['D'], ['E']])
})

test('long texts are read in one pass, whatever is in them: trying all ways would not end', t => {
  const many = 50_000
  const hard = [`{{${'/* */'.repeat(many)}`, `{{ ${'"a" '.repeat(many)}"`, `{{ .a${'.b'.repeat(many)}. }}`]
  for (const text of hard) t.false(parseTemplate(text).ok, text.slice(0, 10))
  t.true(parseTemplate('{{/* a */}}b'.repeat(many)).ok)
})
