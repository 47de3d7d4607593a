import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readCatalog } from '#resolver/authority/catalog.ts'
import { makeZone } from '../../support/authority-zone.ts'
import { configure, testWorld } from '../../support/dns-environment.ts'
import { startServer } from '../../support/dns-server.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { answer, until } from '../../support/transfers.ts'

const head = (serial: number) => `$TTL 5\n@ SOA invalid invalid ${serial} 60 20 3600 5\n  NS invalid.\n`
const catalog = (serial: number, rest: string) => `${head(serial)}version TXT "2"\n${rest}\n`
const member = (serial: number) => `$TTL 5\n@ SOA ns root ${serial} 60 20 3600 5\nwww A 192.0.2.${serial}\n`

test('the members of a catalog', async t => {
  const zone = await makeZone(
    catalog(1, 'a.zones PTR One.test.\nb.zones PTR two.test.\ncoo.b.zones PTR Other.test.\ngroup.a.zones TXT "x"'),
  )
  const read = readCatalog(zone)
  t.deepEqual(read.ok && [...read.value.values()], [
    { zone: 'one.test.', label: 'a', nextOwner: undefined },
    { zone: 'two.test.', label: 'b', nextOwner: 'other.test.' },
  ])
})

for (const [about, text] of Object.entries({
  'no version': head(1),
  'another version': `${head(1)}version TXT "1"\n`,
  'two zones at one label': catalog(1, 'a.zones PTR one.test.\na.zones PTR two.test.'),
  'a zone twice': catalog(1, 'a.zones PTR one.test.\nb.zones PTR one.test.'),
}))
  test(`no catalog: ${about}`, async t => {
    t.false(readCatalog(await makeZone(text)).ok)
  })

/** A server with zones in files, and a secondary that takes two catalogs from it. */
const start = async (t: ExecutionContext, members = '') => {
  const folder = temporaryFolder(t)
  const write = (zone: string, text: string) => writeFileSync(join(folder, `db.${zone}`), text)
  write('cat1', catalog(1, 'a.zones PTR one.test.'))
  write('cat2', catalog(1, ''))
  write('one.test', member(1))
  write('two.test', member(2))
  const corefile = `. {\n auto {\n  directory ${folder}\n  reload 1s\n }\n transfer {\n  to *\n }\n}`
  const primary = { world: testWorld(), configuration: undefined as unknown as ReturnType<typeof configure> }
  primary.configuration = configure(corefile, primary.world, folder)
  await primary.configuration.start(new AbortController().signal)
  t.teardown(() => primary.configuration.close())
  const { port } = await startServer(t, {
    responder: (packet, from) => primary.configuration.responder(packet, { ...from, server: 'dns://:53' }),
  })
  const world = testWorld()
  const text = `. {\n secondary cat1 cat2 {\n  transfer from 127.0.0.1:${port}\n  catalog ${members}\n }\n}`
  const configuration = configure(text, world)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const becomes = (name: string, expected: string) =>
    until(async () => {
      await primary.world.clock.advance(1000)
      await world.clock.advance(5000)
      return (await answer({ configuration }, name)) === expected
    })
  return { write, becomes, world, text, configuration }
}

const ONE = 'www.one.test. 5 IN A 192.0.2.1'
const TWO = 'www.two.test. 5 IN A 192.0.2.2'

test('members come and go with their catalog', async t => {
  const { write, becomes } = await start(t)
  await becomes('www.one.test.', ONE)
  write('cat1', catalog(2, 'b.zones PTR two.test.'))
  await becomes('www.two.test.', TWO)
  await becomes('www.one.test.', 'SERVFAIL')
  // A broken catalog changes nothing (RFC 9432 §5.1).
  write('cat1', head(3))
  await becomes('version.cat1.', 'NXDOMAIN')
  await becomes('www.two.test.', TWO)
  t.pass()
})

test('RFC 9432 §7: a catalog has no members but those that it may have', async t => {
  const { write, becomes } = await start(t, 'test.org two.test')
  write('cat1', catalog(2, 'a.zones PTR one.test.\nb.zones PTR two.test.'))
  await becomes('www.two.test.', TWO)
  await becomes('www.one.test.', 'SERVFAIL')
  t.pass()
})

test('RFC 9432 §4.3.1: a zone moves to another catalog when its own says so', async t => {
  const { write, becomes } = await start(t)
  await becomes('www.one.test.', ONE)
  // The other catalog cannot take what is not given.
  write('cat2', catalog(2, 'x.zones PTR one.test.\ny.zones PTR two.test.'))
  await becomes('www.two.test.', TWO)
  write('cat2', catalog(3, ''))
  await becomes('www.two.test.', 'SERVFAIL')
  await becomes('www.one.test.', ONE)
  write('cat1', catalog(2, 'a.zones PTR one.test.\ncoo.a.zones PTR cat2.\nz.zones PTR two.test.'))
  await becomes('www.two.test.', TWO)
  write('cat2', catalog(4, 'a.zones PTR one.test.\nmoved TXT "1"'))
  await becomes('moved.cat2.', 'NOERROR')
  write('cat1', catalog(3, ''))
  await becomes('www.two.test.', 'SERVFAIL')
  await becomes('www.one.test.', ONE)
  t.pass()
})

test('a reload of the Corefile keeps the members', async t => {
  const { becomes, world, text, configuration } = await start(t)
  await becomes('www.one.test.', ONE)
  const next = configure(text, world)
  next.adopt(configuration)
  await next.start(new AbortController().signal)
  t.teardown(() => next.close())
  await configuration.close()
  t.is(await answer({ configuration: next }, 'www.one.test.'), ONE)
})
