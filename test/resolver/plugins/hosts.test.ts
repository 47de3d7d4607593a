import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aaaaData, aData, nameData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const inline = (rest = '', zones = '') => `. {
  hosts /nowhere ${zones} {
    192.0.2.1 One.example.org uno.example.org
    192.0.2.2 one.example.org   # the second
    2001:DB8::1 one.example.org
    192.0.2.9 *.wild.example.org
    ${rest}
  }
}`

const { A, AAAA, PTR, MX } = recordTypes

const passing = 'fallthrough\nfallthrough_unsupported'

const questions: Record<
  string,
  readonly [name: string, type: number, rcode: number, data: readonly string[], rest?: string]
> = {
  'all addresses of a name, in any case': ['ONE.example.ORG.', A, 0, ['192.0.2.1', '192.0.2.2']],
  'IPv6 in its short form': ['one.example.org.', AAAA, 0, ['2001:db8::1']],
  'no data for another family': ['uno.example.org.', AAAA, 0, []],
  'no data for another type': ['one.example.org.', MX, 0, []],
  'a name that is not there': ['two.example.org.', A, rcodes.NXDOMAIN, []],
  'a name that is not there, passed on': ['two.example.org.', A, rcodes.SERVFAIL, [], 'fallthrough'],
  'a name outside the zones of fallthrough': ['two.example.org.', A, rcodes.NXDOMAIN, [], 'fallthrough example.net'],
  'another type of a name that is there, passed on': ['one.example.org.', MX, rcodes.SERVFAIL, [], passing],
  'an address of another family, not passed on': ['uno.example.org.', AAAA, 0, [], passing],
  'another type outside the zones of fallthrough': ['one.example.org.', MX, 0, [], passing.replace('\n', ' a.b\n')],
  'a pointer, with fallthrough_unsupported': [
    '1.2.0.192.in-addr.arpa.',
    PTR,
    0,
    ['One.example.org.', 'uno.example.org.'],
    passing,
  ],
  'a wildcard, at any depth': ['a.b.wild.example.org.', A, 0, ['192.0.2.9']],
  'the wildcard’s own parent exists, without an address': ['wild.example.org.', A, 0, []],
  'a name with names below it (RFC 8020)': ['example.org.', A, 0, []],
  'a name with names below it, passed on': ['example.org.', A, rcodes.SERVFAIL, [], 'fallthrough'],
  'the zone’s own name': ['.', MX, 0, []],
  'a pointer': ['1.2.0.192.in-addr.arpa.', PTR, 0, ['One.example.org.', 'uno.example.org.']],
  'a pointer of IPv6': [`${'1.0.0.0.'.padEnd(48, '0.')}8.b.d.0.1.0.0.2.ip6.arpa.`, PTR, 0, ['one.example.org.']],
  'a pointer that is not there, passed on': ['7.2.0.192.in-addr.arpa.', PTR, rcodes.SERVFAIL, []],
  'no pointers with no_reverse': ['1.2.0.192.in-addr.arpa.', PTR, rcodes.NXDOMAIN, [], 'no_reverse'],
}

const textOf = (type: number, data: Buffer): string => {
  if (type === A) return aData.decode(data)
  return type === AAAA ? aaaaData.decode(data) : nameData.decode(data)
}

for (const [about, [name, type, rcode, data, rest]] of Object.entries(questions))
  test(about, async t => {
    const reply = await ask(configure(inline(rest)), name, { type })
    t.is(reply?.rcode, rcode)
    t.deepEqual(
      reply?.answers.map(record => textOf(type, record.data)),
      [...data],
    )
    t.true(reply?.answers.every(record => record.name === name && record.ttl === 3600))
    t.is(reply?.authoritative, rcode !== rcodes.SERVFAIL)
  })

test('names outside the zones are the next plugin’s', async t => {
  const reply = await ask(configure(inline('', 'example.net')), 'one.example.org.')
  t.is(reply?.rcode, rcodes.SERVFAIL)
})

test('the file is read at start, again when it changes, and kept when it goes away', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'hosts')
  const world = testWorld()
  const configuration = configure('. {\n hosts hosts {\n  ttl 7\n  reload 1s\n }\n}', world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const address = async () => {
    const [record] = (await ask(configuration, 'one.example.org.'))?.answers ?? []
    return record && `${record.ttl} ${aData.decode(record.data)}`
  }
  t.is(await address(), undefined)
  writeFileSync(file, '# hosts\n192.0.2.1\tone.example.org\nnonsense\n999.1.1.1 one.example.org\n')
  while ((await address()) === undefined) await world.clock.advance(500)
  t.is(await address(), '7 192.0.2.1')
  writeFileSync(file, '192.0.2.22 one.example.org two.example.org\n')
  while ((await address()) !== '7 192.0.2.22') await world.clock.advance(500)
  const text = await world.registry.metrics()
  t.true(text.includes('coredns_hosts_entries 2'))
  t.regex(text, /coredns_hosts_reload_timestamp_seconds \d+/)
})

test('SIGHUP: the file is read at once, even if it looks the same', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'hosts')
  const stamp = new Date(1_700_000_000_000)
  const write = (text: string) => {
    writeFileSync(file, text)
    utimesSync(file, stamp, stamp)
  }
  write('192.0.2.1 one.example.org\n')
  const configuration = configure('. {\n hosts hosts {\n  reload 0\n }\n}', testWorld(), folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  write('192.0.2.2 one.example.org\n')
  const [hosts] = configuration.plugins
  await hosts!.clear!()
  const reply = await ask(configuration, 'one.example.org.')
  t.is(aData.decode(reply!.answers[0]!.data), '192.0.2.2')
  t.deepEqual(hosts!.statistics!(), { file, entries: 1 })
})

test('tells of properties that are none, and of addresses without names', t => {
  t.deepEqual(problemsOf(inline('falltrough')), [
    'Corefile:7: hosts: unknown property "falltrough"; did you mean "fallthrough"?',
  ])
  t.deepEqual(problemsOf(inline('fallthrough_unsupported')), [
    'Corefile:2: hosts: fallthrough_unsupported needs fallthrough',
  ])
  t.deepEqual(problemsOf(inline('192.0.2.5')), ['Corefile:7: hosts: needs a name after the address'])
})
