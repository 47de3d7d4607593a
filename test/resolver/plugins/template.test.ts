import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { type Ask, ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

const { A, AAAA, CNAME, MX, PTR, TXT } = recordTypes
const edns = { udpSize: 1232, dnssecOk: false, options: [] }

const block = (...lines: string[]) => `. {\n${lines.join('\n')}\n}`
const told = async (corefile: string, name: string, question: Ask = {}) => {
  const reply = await ask(configure(corefile), name, { edns, ...question })
  const { answers = [], authority = [], additional = [] } = reply ?? {}
  return {
    rcode: reply?.rcode,
    answers: answers.map(recordToText),
    authority: authority.map(recordToText),
    additional: additional.map(recordToText),
    errors: reply?.extendedErrors?.map(({ code, text }) => `${code} ${text}`) ?? [],
    aa: reply?.authoritative,
  }
}

const addresses = `template IN A example {
  match "^ip-(?P<a>10)-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]dc[.]example[.]$" "^ip0a(?P<b>[a-f0-9]{2})(?P<c>[a-f0-9]{2})(?P<d>[a-f0-9]{2})[.]example[.]$"
  answer "{{ .Name }} 60 IN A 10.{{ if .Group.a }}{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}{{ else }}{{ parseInt .Group.b 16 8 }}.{{ parseInt .Group.c 16 8 }}.{{ parseInt .Group.d 16 8 }}{{ end }}"
  authority "example. 60 IN NS ns0.example."
  additional "ns0.example. 60 IN A 203.0.113.8"
  fallthrough
}`

test('records with parts of the name, as the client spelled it; the first pattern that fits', async t => {
  const corefile = block(addresses, 'whoami')
  t.like(await told(corefile, 'IP-10-1-2-3.dc.example.'), {
    rcode: 0,
    aa: true,
    answers: ['IP-10-1-2-3.dc.example. 60 IN A 10.1.2.3'],
    authority: ['example. 60 IN NS ns0.example.'],
    additional: ['ns0.example. 60 IN A 203.0.113.8'],
  })
  const second = await told(
    corefile.replaceAll('{{ if .Group.a }}', '{{ if eq (index .Match 1) `10` }}'),
    'ip0a7b7c7d.example.',
  )
  t.deepEqual(second.answers, ['ip0a7b7c7d.example. 60 IN A 10.123.124.125'])
})

test('other zones, types and names are passed on', async t => {
  const corefile = block(addresses, 'whoami')
  for (const [name, type] of [
    ['ip-10-1-2-3.dc.example.net.', A],
    ['ip-10-1-2-3.dc.example.', AAAA],
    ['other.example.', A],
  ] as const)
    t.is((await told(corefile, name, { type })).additional.length, 2, name)
})

test('a name that no pattern fits: SERVFAIL without fallthrough, or outside of its zones', async t => {
  const lines = (rest: string) =>
    block(`template IN A example {\n match ^a\n answer "{{ .Name }} A 192.0.2.1"\n ${rest}\n}`, 'whoami')
  t.like(await told(lines(''), 'b.example.'), {
    rcode: rcodes.SERVFAIL,
    errors: ['0 no pattern of the template fits the name'],
  })
  t.is((await told(lines('fallthrough other.example'), 'b.example.')).rcode, rcodes.SERVFAIL)
  t.is((await told(lines('fallthrough example'), 'b.example.')).rcode, rcodes.NOERROR)
  t.deepEqual((await told(lines(''), 'a.example.')).answers, ['a.example. 3600 IN A 192.0.2.1'])
})

test('several templates in their order', async t => {
  const corefile = block(
    'template IN TXT example {\n match ^one\n answer "{{ .Name }} 1 TXT first"\n fallthrough\n}',
    'template IN TXT example {\n answer "{{ .Name }} 1 TXT second"\n}',
  )
  t.deepEqual((await told(corefile, 'one.example.', { type: TXT })).answers, ['one.example. 1 IN TXT "first"'])
  t.deepEqual((await told(corefile, 'two.example.', { type: TXT })).answers, ['two.example. 1 IN TXT "second"'])
})

test('codes and extended errors; SOA in parentheses', async t => {
  const corefile = block(`template ANY ANY invalid {
    rcode NXDOMAIN
    authority "{{ .Zone }} 60 {{ .Class }} SOA ns.{{ .Zone }} hostmaster.invalid (1 60 60 60 60)"
    ederror 21 "Blocked according to RFC 2606"
  }`)
  t.deepEqual(await told(corefile, 'x.invalid.', { type: MX }), {
    rcode: rcodes.NXDOMAIN,
    answers: [],
    authority: ['invalid. 60 IN SOA ns.invalid. hostmaster.invalid. 1 60 60 60 60'],
    additional: [],
    errors: ['21 Blocked according to RFC 2606'],
    aa: true,
  })
  t.is((await told(corefile, 'x.invalid.', { class: 3, type: TXT })).rcode, rcodes.REFUSED)
  t.like(await told(block('template IN ANY {\n rcode SERVFAIL\n ederror 23\n}'), 'a.'), { rcode: 2, errors: ['23 '] })
  t.like(await told(block('template IN AAAA'), 'a.', { type: AAAA }), { rcode: 0, answers: [], aa: true })
})

test('reverse names, the client, the type; metadata where there is some', async t => {
  const reverse = block(`template IN PTR in-addr.arpa {
    match ^(?P<d>[0-9]*)[.](?P<c>[0-9]*)[.]2[.]1[.]in-addr[.]arpa[.]$
    answer "{{ .Name }} 60 PTR ip-1-2-{{ .Group.c }}-{{ .Group.d }}.example."
  }`)
  t.deepEqual((await told(reverse, '9.8.2.1.in-addr.arpa.', { type: PTR })).answers, [
    '9.8.2.1.in-addr.arpa. 60 IN PTR ip-1-2-8-9.example.',
  ])
  const text = '"{{ .Name }} 0 TXT {{ .Type }} {{ .Remote }} {{ .Question.Qtype }} {{ .Message.Id }} m{{ .Meta `x` }}"'
  t.deepEqual((await told(block(`template IN ANY {\n answer ${text}\n}`), 'a.', { type: TXT })).answers, [
    'a. 0 IN TXT "TXT" "192.0.2.7" "16" "4711" "m"',
  ])
})

test('what a client asks cannot become another word of the record', async t => {
  const corefile = block('template IN TXT {\n match ^(.*)[.]x[.]$\n answer "{{ .Name }} 0 TXT {{ index .Match 1 }}"\n}')
  t.deepEqual((await told(corefile, 'a\\032b"\\;\\(.x.', { type: TXT })).answers, [
    'a\\032b\\"\\;\\(.x. 0 IN TXT "a b\\";("',
  ])
})

test('an alias is followed as far as this server knows', async t => {
  const alias = (target: string) =>
    `template IN ANY foogle.com {\n match "^foogle\\.com\\.$"\n answer "foogle.com 60 IN CNAME ${target}"\n}`
  const corefile = (target: string) =>
    block(alias(target), 'hosts /nowhere google.com {\n 192.0.2.1 google.com\n}', 'erratic {\n drop 0\n}')
  const cname = 'foogle.com. 60 IN CNAME google.com.'
  t.deepEqual((await told(corefile('google.com'), 'foogle.com.')).answers, [cname, 'google.com. 3600 IN A 192.0.2.1'])
  t.deepEqual((await told(corefile('google.com'), 'foogle.com.', { type: CNAME })).answers, [cname])
  t.is((await told(corefile('nobody.google.com'), 'foogle.com.')).rcode, rcodes.NXDOMAIN)
  t.is((await told(corefile('other.'), 'foogle.com.', { type: MX })).rcode, rcodes.SERVFAIL)
  t.is((await told(corefile('foogle.com'), 'foogle.com.')).answers.length, 1)
  t.like(await told(block(alias('google.com')), 'foogle.com.'), { rcode: 0, answers: [cname] })
})

test('counts matches and failures', async t => {
  const world = testWorld()
  const corefile = `. {
    template IN A a {\n answer "{{ .Name }} 0 A {{ index .Match 7 }}"\n}
    template IN A b {\n answer "{{ .Name }} 0 A {{ .Type }}"\n}
  }`
  const configuration = configure(corefile, world)
  for (const name of ['a.', 'b.']) {
    const reply = await ask(configuration, name, { edns })
    t.is(reply?.rcode, rcodes.SERVFAIL)
    t.regex(reply?.extendedErrors?.[0]?.text ?? '', /template/)
  }
  const text = await world.registry.metrics()
  const labels = (zone: string) => `server="dns://:53",zone="${zone}",view="",class="IN",type="A"`
  t.true(text.includes(`coredns_template_matches_total{${labels('a.')}} 1`))
  t.true(text.includes(`coredns_template_template_failures_total{${labels('a.')},section="answer",template="`))
  t.true(text.includes(`coredns_template_rr_failures_total{${labels('b.')},section="answer",template="`))
})

test('tells what is wrong', t => {
  const problem = (line: string, head = 'IN A') => problemsOf(`. {\n template ${head} {\n  ${line}\n }\n}`)[0] ?? ''
  t.regex(problem('answr "x"'), /^Corefile:3: template: unknown property "answr"; did you mean "answer"\?/)
  t.regex(problem('match "("'), /"\(" is no regular expression of RE2/)
  t.regex(problem('answer "{{ .Nam }} A 192.0.2.1"'), /unknown field "\.Nam"; did you mean "Name"\?/)
  t.regex(
    problem('match (?P<host>.)\n answer "a. A {{ .Group.hots }}"'),
    /no pattern has a group "hots"; did you mean "host"/,
  )
  t.regex(problem('answer "{{ .Name"'), /never closed/)
  t.regex(problem('answer "a. 60 IN A 1.2.3"'), /A: /)
  t.regex(problem('answer "a. A 192.0.2.1\nb. A 192.0.2.2"'), /more than one record/)
  t.regex(problem('rcode NXDOMIAN'), /"NXDOMIAN" is not an rcode; did you mean "NXDOMAIN"/)
  t.regex(problem('ederror x'), /"x" is not a number of an extended error/)
  t.regex(problem('rcode NOERROR', 'IN AAA'), /"AAA" is not a record type; did you mean "AAAA"/)
  t.regex(problem('rcode NOERROR', 'CH TXT'), /"CH" is not a class that is served/)
  t.regex(problem('rcode NOERROR', 'IN'), /needs CLASS TYPE/)
  t.deepEqual(problem(`answer "{{ .Zone }} SOA a. b. (1 2 3 4 5)"`, 'IN SOA'), '')
})

const private_ = `template IN A example {
  match "^(?P<ip>[0-9]{1,3}(-[0-9]{1,3}){3})[.](?P<id>[a-z]+)[.]example[.]$"
  var ip replace(group('ip'), '-', '.')
  var parts split(ip, '.')
  expr "any(['10.0.0.0/8', '192.0.2.0/24'], incidr(ip, #))"
  expr len(group('id')) >= 3
  answer "{{ .Name }} {{ .Var.ttl }} IN A {{ .Var.ip }}"
  additional "{{ .Var.label }} IN TXT {{ index .Var.parts 3 }} {{ .Var.half }} {{ .Var.yes }} {{ len .Var.parts }}"
  var ttl 6 * 10
  var half 5 / 2
  var yes ip startsWith '10.'
  var label group(3) + '.'
  fallthrough
}`

test('var and expr: values that are worked out, and conditions', async t => {
  const corefile = block(private_, 'whoami')
  t.like(await told(corefile, '10-1-2-3.ABC.example.'), {
    rcode: 0,
    aa: true,
    errors: [],
    answers: ['10-1-2-3.ABC.example. 60 IN A 10.1.2.3'],
    additional: ['abc. 3600 IN TXT "3" "2.5" "true" "4"'],
  })
  t.deepEqual((await told(corefile, '192-0-2-7.abc.example.')).answers, ['192-0-2-7.abc.example. 60 IN A 192.0.2.7'])
  // Another network, what is no address, a label that is too short: as if no pattern had fitted.
  for (const name of ['203-0-113-1.abc.example.', '999-1-2-3.abc.example.', '10-1-2-3.ab.example.']) {
    t.is((await told(corefile, name)).additional.length, 2, name)
    t.like(await told(corefile.replace('fallthrough', ''), name), {
      rcode: rcodes.SERVFAIL,
      errors: ['0 a condition of the template does not hold'],
    })
  }
})

test('var and expr: what has no value for a name is SERVFAIL, and says why, whatever may be passed on', async t => {
  const reasonOf = async (line: string, name: string) => {
    const corefile = block(`template IN A example {\n match "^([^.]*)[.]"\n ${line}\n fallthrough\n}`, 'whoami')
    const { rcode, errors } = await told(corefile, name)
    return `${rcode} ${errors.join()}`
  }
  t.is(await reasonOf('var number int(group(1))', '12.example.'), '0 ')
  t.is(await reasonOf('var number int(group(1))', 'x.example.'), '2 0 var number: int: "x" is no whole number')
  t.is(await reasonOf('expr 1 / len(group(9)) > 0', 'x.example.'), '2 0 expr: a division by zero')
})

test('var and expr know the question, and what plugins know of it', async t => {
  const answer = 'answer "{{ .Name }} IN TXT {{ .Var.who }}"'
  const corefile = block(
    'metadata',
    `template IN TXT {\n var who client_ip() + metadata('a/b') + type()\n ${answer}\n}`,
  )
  t.deepEqual((await told(corefile, 'a.', { type: TXT, client: '192.0.2.9' })).answers, [
    'a. 3600 IN TXT "192.0.2.9TXT"',
  ])
})

test('answers rest on the name alone where all that is worked out does', t => {
  const isSteady = (line: string) => {
    const [plugin] = configure(block(`template IN A {\n ${line}\n}`)).plugins
    return plugin!.steady
  }
  t.true(isSteady("var a name() + type() + class() + group('0') + upper('a')"))
  for (const line of ['var a client_ip()', 'expr id() > 0', 'expr "any([1], size() > #)"', 'var a do() ? 1 : 2'])
    t.false(isSteady(line), line)
})

test('tells what is wrong with var and expr', t => {
  const problem = (...lines: string[]) => problemsOf(block('template IN A {', ...lines, '}')).join('\n')
  t.is(problem('var a 1'), '')
  t.regex(problem('var a'), /^Corefile:3: template: "var" needs 2 values \(NAME EXPRESSION\)$/)
  t.regex(problem('var a 1', 'var a 2'), /^Corefile:4: template: there is a variable "a" already$/)
  for (const name of ['1a', 'name', 'len', 'any', 'group', 'true', 'matches', 'nil'])
    t.is(problem(`var ${name} 1`), `Corefile:3: template: "${name}" is no name for a variable`)
  t.regex(problem('var a b', 'var b 1'), /^Corefile:3: template: var: column 1, "b": is neither a call/)
  t.regex(problem('var host 1', 'expr hots == 1'), /or a variable; did you mean "host"\?$/)
  t.regex(
    problem('expr 1'),
    /^Corefile:3: template: expr: column 1, "1": the expression wants a boolean, and this is a number$/,
  )
  t.regex(problem("expr group('x') == ''"), /no pattern has a group "x"$/)
  t.is(problem('match "(?P<x>a)"', "expr group('x') == ''"), '')
  t.regex(
    problem("var a metadata('a/b')"),
    /^Corefile:3: template: var: metadata\(\) needs a line "metadata" in the server block$/,
  )
  t.regex(problem('var host 1', 'answer "a. A {{ .Var.hots }}"'), /there is no variable "hots"; did you mean "host"\?$/)
})

test('as many branches as one likes', async t => {
  const branches = Array.from({ length: 500 }, (_, index) => `else if eq .Name \`${index}.\` }}${index}{{ `).join('')
  const corefile = block(`template IN TXT {\n answer "{{ .Name }} IN TXT {{ if false }}no{{ ${branches}end }}"\n}`)
  t.deepEqual((await told(corefile, '499.', { type: TXT })).answers, ['499. 3600 IN TXT "499"'])
})
