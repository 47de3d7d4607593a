import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { extendedErrorCodes, rcodeName, recordTypes, typeName } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { type Ask, ask, configure, problemsOf, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const soa = (serial = 1) => `$TTL 60\n@ SOA ns root ${serial} 7200 900 86400 30\n`

interface Served {
  readonly folder: string
  readonly world: TestWorld
  readonly configuration: Configuration
  readonly write: (file: string, text: string) => void
}

/** A started configuration in a folder with files. */
const serve = async (t: ExecutionContext, corefile: string, files: Record<string, string>): Promise<Served> => {
  const folder = temporaryFolder(t)
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
  for (const [file, text] of Object.entries(files)) write(file, text)
  const world = testWorld()
  const configuration = configure(corefile, world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  return { folder, world, configuration, write }
}

const answer = async ({ configuration }: Served, name: string, question: Ask = {}): Promise<string[]> => {
  const reply = await ask(configuration, name, question)
  const texts = (reply?.answers ?? []).map(recordToText)
  return reply?.rcode === 0 ? texts : [rcodeName(reply!.rcode), ...texts]
}

const edns = { udpSize: 1232, dnssecOk: false, options: [] }

test('the zones of the block, from one file with relative names', async t => {
  const served = await serve(t, 'example.org example.net {\n file db\n}', { db: `${soa()}www A 192.0.2.1` })
  t.deepEqual(await answer(served, 'www.example.org.'), ['www.example.org. 60 IN A 192.0.2.1'])
  t.deepEqual(await answer(served, 'www.example.net.'), ['www.example.net. 60 IN A 192.0.2.1'])
  const missing = await ask(served.configuration, 'no.example.org.')
  t.is(rcodeName(missing!.rcode), 'NXDOMAIN')
  t.true(missing?.authoritative)
  t.deepEqual(missing?.authority.map(recordToText), [
    'example.org. 30 IN SOA ns.example.org. root.example.org. 1 7200 900 86400 30',
  ])
  t.true((await served.world.registry.metrics()).includes('seamark_zone_serial{zone="example.org."} 1'))
})

test('the longest zone answers, whatever the order of the lines; DS at its apex is the parent’s', async t => {
  const served = await serve(t, '. {\n file a example.org\n file b sub.example.org\n}', {
    a: `${soa()}x.sub A 192.0.2.1\nsub DS 1 8 2 AABB\nto CNAME x.sub`,
    b: `${soa()}x A 192.0.2.2`,
  })
  t.deepEqual(await answer(served, 'x.sub.example.org.'), ['x.sub.example.org. 60 IN A 192.0.2.2'])
  t.deepEqual(await answer(served, 'sub.example.org.', { type: recordTypes.DS }), [
    'sub.example.org. 60 IN DS 1 8 2 AABB',
  ])
  t.deepEqual(await answer(served, 'other.test.'), ['SERVFAIL'])
})

const outside = (target: string) => ({
  db: `${soa()}to CNAME x.other.test.\nno CNAME no.other.test.\nfar CNAME x.far.test.\nloop CNAME ${target}`,
  other: `${soa()}x A 192.0.2.3\nback CNAME loop.example.org.`,
})

const outsideCases: Record<string, readonly [name: string, question: Ask, ...answer: string[]]> = {
  followed: ['to.example.org.', {}, 'to.example.org. 60 IN CNAME x.other.test.', 'x.other.test. 60 IN A 192.0.2.3'],
  'not followed without RD': [
    'to.example.org.',
    { recursionDesired: false },
    'to.example.org. 60 IN CNAME x.other.test.',
  ],
  'to a name that is not there': ['no.example.org.', {}, 'NXDOMAIN', 'no.example.org. 60 IN CNAME no.other.test.'],
  'to where nobody is for': ['far.example.org.', {}, 'far.example.org. 60 IN CNAME x.far.test.'],
}

for (const [about, [name, question, ...expected]] of Object.entries(outsideCases))
  test(`an alias out of the zone: ${about}`, async t => {
    const corefile = 'example.org {\n file db\n}\nother.test {\n file other\n}'
    const served = await serve(t, corefile, outside('x.other.test.'))
    t.deepEqual(await answer(served, name, question), expected)
  })

test('aliases of two zones that lead to each other come to an end', async t => {
  const corefile = 'example.org {\n file db\n}\nother.test {\n file other\n}'
  const served = await serve(t, corefile, outside('back.other.test.'))
  const reply = await ask(served.configuration, 'loop.example.org.')
  t.true((reply?.answers.length ?? 0) >= 2)
})

test('fallthrough passes on names that are not there, and only those', async t => {
  const corefile =
    '. {\n file db example.org {\n  fallthrough sub.example.org\n }\n erratic {\n  drop 0\n  truncate 0\n  delay 0\n }\n}'
  const served = await serve(t, corefile, { db: `${soa()}a.sub TXT x` })
  const by = async (name: string) => (await ask(served.configuration, name))?.authority[0]?.type
  t.is(await by('no.example.org.'), recordTypes.SOA)
  t.is(await by('a.sub.example.org.'), recordTypes.SOA)
  t.is(await by('no.sub.example.org.'), undefined)
})

test('read again when it changes, with what it includes; a mistake leaves the zone as it was', async t => {
  const corefile = 'example.org {\n file db {\n  reload 5s\n }\n}'
  const served = await serve(t, corefile, { db: `${soa()}$INCLUDE one`, one: 'www A 192.0.2.1' })
  const { world, write } = served
  const becomes = async (expected: string) => {
    while ((await answer(served, 'www.example.org.'))[0] !== expected) await world.clock.advance(1000)
    t.pass()
  }
  await becomes('www.example.org. 60 IN A 192.0.2.1')
  write('one', 'www A 192.0.2.22')
  await becomes('www.example.org. 60 IN A 192.0.2.22')
  write('one', 'www A nonsense')
  const failures = async () =>
    /seamark_zone_failures_total\{zone="example.org."\} (\d+)/.exec(await world.registry.metrics())?.[1]
  while ((await failures()) !== '1') await world.clock.advance(1000)
  t.deepEqual(await answer(served, 'www.example.org.'), ['www.example.org. 60 IN A 192.0.2.22'])
  write('db', `${soa(2)}www A 192.0.2.3`)
  await becomes('www.example.org. 60 IN A 192.0.2.3')
  t.true((await world.registry.metrics()).includes('seamark_zone_serial{zone="example.org."} 2'))
})

test('a zone that cannot be read is SERVFAIL with a reason, others are served; it comes when the file does', async t => {
  const corefile = '. {\n file no example.org {\n  reload 5s\n }\n file yes example.net\n}'
  const served = await serve(t, corefile, { yes: `${soa()}www A 192.0.2.1` })
  const reply = await ask(served.configuration, 'www.example.org.', { edns })
  t.is(rcodeName(reply!.rcode), 'SERVFAIL')
  t.deepEqual(reply?.extendedErrors, [
    { code: extendedErrorCodes.INVALID_DATA, text: 'the zone file cannot be used: see the log' },
  ])
  t.deepEqual(await answer(served, 'www.example.net.'), ['www.example.net. 60 IN A 192.0.2.1'])
  served.write('no', `${soa()}www A 192.0.2.2`)
  while ((await answer(served, 'www.example.org.'))[0] === 'SERVFAIL') await served.world.clock.advance(1000)
  t.deepEqual(await answer(served, 'www.example.org.'), ['www.example.org. 60 IN A 192.0.2.2'])
})

test('an unchanged line keeps its zones through a reload of the Corefile', async t => {
  const corefile = 'example.org {\n file db\n}'
  const served = await serve(t, corefile, { db: `${soa()}www A 192.0.2.1` })
  const next = configure(corefile, served.world, served.folder)
  next.adopt(served.configuration)
  const reply = await ask(next, 'www.example.org.')
  t.deepEqual(reply?.answers.map(recordToText), ['www.example.org. 60 IN A 192.0.2.1'])
})

test('offers its zones for transfer', async t => {
  const { configuration } = await serve(t, '. {\n file db example.org\n file no example.net\n}', {
    db: `${soa()}www A 192.0.2.1`,
  })
  const [file, other] = configuration.plugins
  const copy = file?.copyZone?.('example.org.')
  t.is(
    copy?.soa && recordToText(copy.soa),
    'example.org. 60 IN SOA ns.example.org. root.example.org. 1 7200 900 86400 30',
  )
  t.deepEqual([...(copy?.records ?? [])].map(recordToText), ['www.example.org. 60 IN A 192.0.2.1'])
  t.is(file?.copyZone?.('www.example.org.'), undefined)
  t.deepEqual(other?.copyZone?.('example.net.'), { soa: undefined, records: [] })
})

test('tells of properties that are none, and of a missing file name', t => {
  t.deepEqual(problemsOf('. {\n file db {\n  relaod 5s\n }\n}'), [
    'Corefile:3: file: unknown property "relaod"; did you mean "reload"?',
  ])
  t.deepEqual(problemsOf('. {\n file\n}'), ['Corefile:2: file: needs the zone file'])
  t.deepEqual(problemsOf('. {\n file db a..b\n}'), ['Corefile:2: file: "a..b" has an empty label'])
})

test('a signed zone: signatures for who sets DO, through the cache, too', async t => {
  const rrsig = (type: string) => `RRSIG ${type} 13 2 60 20310101000000 20300101000000 1 example.org. AAAA`
  const db = `${soa()}@ ${rrsig('SOA')}\n@ NSEC www SOA RRSIG NSEC\nwww A 192.0.2.1\nwww ${rrsig('A')}\nwww NSEC @ A RRSIG NSEC\n`
  const served = await serve(t, 'example.org {\n cache\n file db\n}', { db })
  const plain = ['www.example.org. 60 IN A 192.0.2.1']
  const signature = 'www.example.org. 60 IN RRSIG A 13 2 60 20310101000000 20300101000000 1 example.org. AAAA'
  for (let round = 0; round < 2; round++) {
    t.deepEqual(await answer(served, 'www.example.org.'), plain)
    t.deepEqual(await answer(served, 'www.example.org.', { edns: { ...edns, dnssecOk: true } }), [...plain, signature])
  }
  const missing = await ask(served.configuration, 'no.example.org.', { edns: { ...edns, dnssecOk: true } })
  t.deepEqual(missing!.authority.map(({ name, type }) => `${name} ${typeName(type)}`).sort(), [
    'example.org. NSEC',
    'example.org. RRSIG',
    'example.org. SOA',
  ])
})
