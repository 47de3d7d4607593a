import test from 'ava'
import { extendedErrorCodes, rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { makeZone, variedZone } from '../../support/authority-zone.ts'
import { ask, configure, problemsOf } from '../../support/dns-environment.ts'
import { loopback, startServer } from '../../support/dns-server.ts'
import { freePort, whenLeft } from '../../support/free-port.ts'
import { startNsd } from '../../support/nsd.ts'
import {
  answer,
  becomes,
  failures,
  startFalse,
  startPrimary,
  startSecondary,
  until,
  zone,
} from '../../support/transfers.ts'

const edns = { udpSize: 1232, dnssecOk: false, options: [] }

test('fetches a zone at start, and again after refresh when it is newer', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const secondary = await startSecondary(t, primary.port)
  const early = await ask(secondary.configuration, 'www.example.', { edns })
  t.deepEqual([rcodeName(early!.rcode), early?.extendedErrors?.[0]?.code], ['SERVFAIL', extendedErrorCodes.NOT_READY])
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  await primary.update(zone(2, 'www A 192.0.2.22'), 2)
  await secondary.world.clock.advance(59_000)
  t.is(await answer(secondary, 'www.example.'), 'www.example. 5 IN A 192.0.2.1')
  await secondary.world.clock.advance(1000)
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.22')
  t.true((await secondary.world.registry.metrics()).includes('seamark_zone_serial{zone="example."} 2'))
})

test('a zone of many messages comes whole', async t => {
  const hosts = Array.from({ length: 3000 }, (_, index) => `host-${index} TXT "${'x'.repeat(100)}"`)
  const primary = await startPrimary(t, zone(1, hosts.join('\n')))
  const secondary = await startSecondary(t, primary.port)
  await until(async () => (await answer(secondary, 'host-2999.example.', { type: recordTypes.TXT })) !== 'SERVFAIL')
  const copy = secondary.configuration.plugins[0]?.copyZone?.('example.')
  t.is([...(copy?.records ?? [])].length, 3000)
})

test('retries after retry; expires when nobody was reached for so long; comes back', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'), { port: await freePort() })
  const secondary = await startSecondary(t, primary.port)
  const here = 'www.example. 5 IN A 192.0.2.1'
  await becomes(secondary, 'www.example.', here)
  await primary.server.close()
  await whenLeft(primary.port)
  await secondary.world.clock.advance(60_000)
  await until(async () => (await failures(secondary)) === 1)
  await secondary.world.clock.advance(20_000)
  await until(async () => (await failures(secondary)) === 2)
  t.is(await answer(secondary, 'www.example.'), here)
  await secondary.world.clock.advance(20_000)
  await until(async () => (await failures(secondary)) === 3)
  const late = await ask(secondary.configuration, 'www.example.', { edns })
  t.deepEqual(late?.extendedErrors, [{ code: extendedErrorCodes.INVALID_DATA, text: 'the zone has expired' }])
  await startServer(t, { responder: primary.responder, listeners: [loopback(primary.port)] })
  await secondary.world.clock.advance(20_000)
  await becomes(secondary, 'www.example.', here)
})

test('the next server is asked where one fails', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const secondary = await startSecondary(t, [await freePort(), primary.port])
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  t.is(await failures(secondary), 0)
})

const www = 'www.example. 5 A 192.0.2.1'

const broken: Record<string, readonly [transfer: readonly (readonly string[])[], rcode?: number]> = {
  'a refusal': [[[]], 5],
  'an end before the last SOA': [[['SOA', www], []]],
  'a connection that closes': [[]],
  'no SOA at the begin': [[[www, 'SOA']]],
  'records after the last SOA': [[['SOA', 'SOA', www]]],
  'data that is no zone': [[['SOA', www, 'www.example. 5 CNAME a.', 'SOA']]],
}

for (const [about, [transfer, rcode]] of Object.entries(broken))
  test(`not taken over: ${about}`, async t => {
    const secondary = await startSecondary(t, await startFalse(t, { transfer, ...(rcode && { rcode }) }))
    await until(async () => (await failures(secondary)) === 1)
    t.is(await answer(secondary, 'www.example.'), 'SERVFAIL')
  })

test('the same false server, when it is right', async t => {
  const secondary = await startSecondary(t, await startFalse(t, { transfer: [['SOA'], [www], ['SOA']] }))
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  t.pass()
})

test('an unchanged line keeps its zones through a reload of the Corefile', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const old = await startSecondary(t, primary.port)
  await becomes(old, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  const next = configure(old.corefile, old.world)
  next.adopt(old.configuration)
  await next.start(new AbortController().signal)
  t.teardown(() => next.close())
  await old.configuration.close()
  const kept = { ...old, configuration: next }
  t.is(await answer(kept, 'www.example.'), 'www.example. 5 IN A 192.0.2.1')
  await primary.update(zone(2, 'www A 192.0.2.2'), 2)
  await old.world.clock.advance(60_000)
  await becomes(kept, 'www.example.', 'www.example. 5 IN A 192.0.2.2')
})

test('a zone of NSD comes as it is in its file', async t => {
  const nsd = await startNsd(t, variedZone)
  if (!nsd) return
  const secondary = await startSecondary(t, nsd.port)
  await until(async () => (await answer(secondary, 'www.example.')) !== 'SERVFAIL')
  const copy = secondary.configuration.plugins[0]?.copyZone?.('example.')
  const texts = [...(copy?.records ?? [])].map(each => recordToText(each).toLowerCase()).sort()
  const written = [...(await makeZone(variedZone)).recordsBesideSoa()]
  t.deepEqual(texts, written.map(each => recordToText(each).toLowerCase()).sort())
})

const wrong: Record<string, readonly [body: string, problem: string]> = {
  'no servers': ['fallthrough', '2: secondary: needs "transfer from": the servers of the zones'],
  'transfer to': [
    'transfer to 192.0.2.1',
    '3: secondary: to give zones on is the "transfer" plugin’s: transfer { to … }',
  ],
  'another word': ['transfer form 192.0.2.1', '3: secondary: "form" is not one of from; did you mean "from"?'],
  'no address': [
    'transfer from ns.example',
    '3: secondary: "ns.example" is not the address of a server (like 192.0.2.1 or [2001:db8::1]:5353)',
  ],
}

for (const [about, [body, problem]] of Object.entries(wrong))
  test(`tells of ${about}`, t =>
    t.deepEqual(problemsOf(`. {\n secondary {\n  ${body}\n }\n}`), [`Corefile:${problem}`]))
