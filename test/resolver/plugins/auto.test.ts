import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { rcodeName } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const zone = (address: string) => `$TTL 60\n@ SOA ns root 1 7200 900 86400 30\nwww A ${address}\n`

/** A started configuration whose `directory` line has `rest`; asks for an address, and waits until it is as wanted. */
const serve = async (t: ExecutionContext, files: Record<string, string>, rest = '', zones = '') => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'zones'))
  const write = (file: string, text: string) => writeFileSync(join(folder, 'zones', file), text)
  for (const [file, text] of Object.entries(files)) write(file, text)
  const world = testWorld()
  const corefile = `. {\n auto ${zones} {\n  directory zones ${rest}\n  reload 5s\n }\n}`
  const configuration = configure(corefile, world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const answer = async (name: string) => {
    const reply = await ask(configuration, name)
    return reply?.answers.map(recordToText)[0] ?? rcodeName(reply!.rcode)
  }
  const becomes = async (name: string, expected: string) => {
    while ((await answer(name)) !== expected) await world.clock.advance(1000)
    t.pass()
  }
  return { folder: join(folder, 'zones'), world, write, answer, becomes }
}

test('db.ZONE is ZONE, in subfolders too; other files are none', async t => {
  const { folder, answer, becomes } = await serve(t, {
    'db.example.org': zone('192.0.2.1'),
    'example.net': zone('192.0.2.2'),
  })
  t.is(await answer('www.example.org.'), 'www.example.org. 60 IN A 192.0.2.1')
  t.is(await answer('no.example.org.'), 'NXDOMAIN')
  t.is(await answer('www.example.net.'), 'SERVFAIL')
  mkdirSync(join(folder, 'more'))
  writeFileSync(join(folder, 'more', 'db.example.net'), zone('192.0.2.3'))
  await becomes('www.example.net.', 'www.example.net. 60 IN A 192.0.2.3')
})

test('files change and go; a mistake leaves the zone as it was', async t => {
  const { folder, world, write, answer, becomes } = await serve(t, {
    'db.example.org': zone('192.0.2.1'),
    'db.example.net': zone('192.0.2.2'),
  })
  write('db.example.org', zone('192.0.2.33'))
  await becomes('www.example.org.', 'www.example.org. 60 IN A 192.0.2.33')
  write('db.example.org', 'nonsense')
  rmSync(join(folder, 'db.example.net'))
  await becomes('www.example.net.', 'SERVFAIL')
  t.is(await answer('www.example.org.'), 'www.example.org. 60 IN A 192.0.2.33')
  t.false((await world.registry.metrics()).includes('seamark_zone_serial{zone="example.net."}'))
  rmSync(folder, { recursive: true })
  await world.clock.advance(11_000)
  t.is(await answer('www.example.org.'), 'www.example.org. 60 IN A 192.0.2.33')
})

test('a mounted ConfigMap: links through a folder that is swapped', async t => {
  const { folder, becomes } = await serve(t, {})
  const publish = (version: string, address: string) => {
    mkdirSync(join(folder, version))
    writeFileSync(join(folder, version, 'db.example.org'), zone(address))
    rmSync(join(folder, '..data'), { force: true })
    symlinkSync(version, join(folder, '..data'))
  }
  publish('..one', '192.0.2.1')
  symlinkSync('..data/db.example.org', join(folder, 'db.example.org'))
  await becomes('www.example.org.', 'www.example.org. 60 IN A 192.0.2.1')
  publish('..two', '192.0.2.22')
  await becomes('www.example.org.', 'www.example.org. 60 IN A 192.0.2.22')
})

test('a pattern and a template of one’s own', async t => {
  const { answer } = await serve(
    t,
    { 'example.Org.zone': zone('192.0.2.1'), 'db.example.net': zone('192.0.2.2'), 'a..b.zone': zone('192.0.2.3') },
    '(?P<name>.*)\\.zone$ corp.{name}',
  )
  t.is(await answer('www.corp.example.org.'), 'www.corp.example.org. 60 IN A 192.0.2.1')
  t.is(await answer('www.example.net.'), 'SERVFAIL')
})

test('only names in the directive’s zones are answered', async t => {
  const files = { 'db.example.org': zone('192.0.2.1'), 'db.example.net': zone('192.0.2.2') }
  const { answer } = await serve(t, files, '', 'org')
  t.is(await answer('www.example.org.'), 'www.example.org. 60 IN A 192.0.2.1')
  t.is(await answer('www.example.net.'), 'SERVFAIL')
})

const wrong: Record<string, readonly [body: string, problem: string]> = {
  'no directory': ['reload 5s', '2: auto: needs "directory": the folder with the zone files'],
  'a pattern without an origin': ['directory d (.*)', '3: auto: the pattern needs an origin after it, like {1}'],
  'a group that is not there': ['directory d a(.*) {2}', '3: auto: the pattern has no group for "{2}"'],
  'a misspelt property': ['directroy d', '3: auto: unknown property "directroy"; did you mean "directory"?'],
}

for (const [about, [body, problem]] of Object.entries(wrong))
  test(`tells of ${about}`, t => t.deepEqual(problemsOf(`. {\n auto {\n  ${body}\n }\n}`), [`Corefile:${problem}`]))

test('the old place of the reload time', async t => {
  const corefile = (rest: string) => `. {\n auto {\n  directory . db\\.(.*) {1} ${rest}\n }\n}`
  t.deepEqual(problemsOf(corefile('45')), [])
  t.regex(problemsOf(corefile('1h'))[0]!, /"1h" is not a number of seconds/)
})

test('tells of a pattern that is none', t => {
  t.regex(
    problemsOf('. {\n auto {\n  directory d a( {1}\n }\n}')[0]!,
    /^Corefile:3: auto: "a\(" is no regular expression of RE2: ./,
  )
})
