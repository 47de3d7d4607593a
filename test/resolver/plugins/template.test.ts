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
  t.regex(problem('match "("'), /"\(" is not a regular expression of RE2/)
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
