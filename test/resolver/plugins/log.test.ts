import test from 'ava'
import { recordTypes } from '#resolver/wire/codes.ts'
import { type Ask, ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

const linesOf = async (lines: string, name = 'www.example.org.', question: Ask = {}) => {
  const world = testWorld()
  const configuration = configure(`. {\n ${lines}\n hosts /nowhere {\n  192.0.2.1 www.example.org\n }\n}`, world)
  await ask(configuration, name, question)
  return world.lines
}

test('the common format is CoreDNS’s', async t => {
  const edns = { udpSize: 4096, dnssecOk: true, options: [] }
  t.deepEqual(await linesOf('log', 'WWW.example.org.', { client: '2001:db8::1', edns }), [
    '[INFO] [2001:db8::1]:40000 - 4711 "A IN WWW.example.org. udp 44 true 4096" NOERROR qr,aa,rd 60 0s',
  ])
  t.deepEqual(
    await linesOf('log', 'no.example.org.', { transport: 'tcp', type: recordTypes.AAAA, checkingDisabled: true }),
    ['[INFO] 192.0.2.7:40000 - 4711 "AAAA IN no.example.org. tcp 32 false 65535" NXDOMAIN qr,aa,rd,cd 32 0s'],
  )
})

test('formats of one’s own, and the combined one', async t => {
  t.deepEqual(await linesOf('log . "{local} {rcode} {/kubernetes/namespace} {>bufsize} x"'), [
    '[INFO] 192.0.2.53 NOERROR - 512 x',
  ])
  t.regex((await linesOf('log . {combined}'))[0]!, / 0s 0$/)
})

const classes: Record<string, readonly [lines: string, found: boolean, missing: boolean, failed: boolean]> = {
  all: ['log', true, true, true],
  success: ['log . {\n class success\n }', true, false, false],
  denial: ['log . {\n class denial\n }', false, true, false],
  error: ['log . {\n class error\n }', false, false, true],
  'two classes': ['log . {\n class denial error\n }', false, true, true],
  'two lines of classes': ['log . {\n class denial\n class success\n }', true, true, false],
  'another zone': ['log example.net', false, false, false],
  'the first line that holds the name': ['log example.org {\n class error\n }\n log .', false, false, true],
  'none twice': ['log .\n log example.org', true, true, true],
}

for (const [name, [lines, ...expected]] of Object.entries(classes))
  test(`logs ${name}`, async t => {
    const found = await linesOf(lines)
    const missing = await linesOf(lines, 'no.example.org.')
    const failed = await linesOf(lines, 'www.example.org.', { class: 3 })
    t.deepEqual([found.length, missing.length, failed.length], expected.map(Number))
  })

test('tells of placeholders and classes that are none', t => {
  t.deepEqual(problemsOf('. {\n log . "{nam} {name}"\n}'), ['Corefile:2: log: "{nam}" is not a placeholder'])
  t.deepEqual(problemsOf('. {\n log {\n  class succes\n }\n}'), [
    'Corefile:3: log: "succes" is not one of success, denial, error, all; did you mean "success"?',
  ])
})
