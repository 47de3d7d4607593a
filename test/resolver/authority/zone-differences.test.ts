import test, { type ExecutionContext } from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { variedZone } from '../../support/authority-zone.ts'
import { startNsd } from '../../support/nsd.ts'
import {
  becomes,
  type FalseServer,
  type Secondary,
  startFalse,
  startSecondary,
  until,
} from '../../support/transfers.ts'

const contentOf = ({ configuration }: Secondary): string[] =>
  [...(configuration.plugins[0]?.copyZone?.('example.')?.records ?? [])].map(recordToText).sort()

const serialOf = async ({ world }: Secondary): Promise<number> =>
  Number(/seamark_zone_serial\{zone="example."\} (\d+)/.exec(await world.registry.metrics())?.[1])

const first = 'www.example. 5 A 192.0.2.1'
const second = 'www.example. 5 A 192.0.2.2'
const other = 'new.example. 5 TXT "x"'
const text = (record: string) => record.replace(' 5 ', ' 5 IN ')

/** A zone of serial 1 with `first`, and what the server says then when it has serial 3. */
const changed = async (t: ExecutionContext, script: Omit<FalseServer, 'transfer'>, whole: readonly string[][] = []) => {
  const server: { -readonly [Key in keyof FalseServer]: FalseServer[Key] } = {
    transfer: [['SOA', first, 'SOA']],
    serial: 1,
  }
  const secondary = await startSecondary(t, await startFalse(t, server))
  await becomes(secondary, 'www.example.', text(first))
  Object.assign(server, { serial: 3, transfer: whole, ...script })
  await secondary.world.clock.advance(60_000)
  return secondary
}

test('differences, in one message and in many', async t => {
  const records = ['SOA3', 'SOA1', first, 'SOA2', second, 'SOA2', 'SOA3', other, 'SOA3']
  for (const differences of [[records], records.map(each => [each])]) {
    const secondary = await changed(t, { differences })
    await until(async () => (await serialOf(secondary)) === 3)
    t.deepEqual(contentOf(secondary), [text(other), text(second)])
  }
})

test('RFC 1995 §4: a whole zone instead of differences', async t => {
  const secondary = await changed(t, { differences: [['SOA3'], [second, 'SOA3']] })
  await until(async () => (await serialOf(secondary)) === 3)
  t.deepEqual(contentOf(secondary), [text(second)])
})

const unfit: Record<string, Omit<FalseServer, 'transfer'>> = {
  'a connection that closes': { differences: [] },
  'differences from another serial': { differences: [['SOA3', 'SOA2', first, 'SOA3', second, 'SOA3']] },
  'differences that end before': { differences: [['SOA3', 'SOA1', first, 'SOA2', second, 'SOA3']] },
  'a record is to go that is not there': { differences: [['SOA3', 'SOA1', other, 'SOA3', second, 'SOA3']] },
  'records after the end': { differences: [['SOA3', 'SOA1', first, 'SOA3', second, 'SOA3', other]] },
  'data that are no zone': { differences: [['SOA3', 'SOA1', 'SOA3', 'www.example. 5 CNAME a.', 'SOA3']] },
}

for (const [about, script] of Object.entries(unfit))
  test(`the whole zone is fetched after ${about}`, async t => {
    const secondary = await changed(t, script, [['SOA3', other, 'SOA3']])
    await until(async () => (await serialOf(secondary)) === 3)
    t.deepEqual(contentOf(secondary), [text(other)])
  })

test('a server that knows no IXFR', async t => {
  const server: { -readonly [Key in keyof FalseServer]: FalseServer[Key] } = {
    transfer: [['SOA', first, 'SOA']],
    serial: 1,
  }
  const secondary = await startSecondary(t, await startFalse(t, server))
  await becomes(secondary, 'www.example.', text(first))
  // Its answer to AXFR fails as well: the zone from before is served on, and asked for again.
  Object.assign(server, { serial: 3, differences: [[]], transfer: [[]], rcode: rcodes.NOTIMP })
  await secondary.world.clock.advance(60_000)
  await until(async () => /failures_total\{zone="example."\} 1/.test(await secondary.world.registry.metrics()))
  t.deepEqual(contentOf(secondary), [text(first)])
  Object.assign(server, { rcode: 0, transfer: [['SOA', second, 'SOA']] })
  await secondary.world.clock.advance(20_000)
  await until(async () => (await serialOf(secondary)) === 3)
  t.deepEqual(contentOf(secondary), [text(second)])
})

test('differences of NSD make the zone that it has', async t => {
  const nsd = await startNsd(t, variedZone)
  if (!nsd) return
  const secondary = await startSecondary(t, nsd.port)
  await until(async () => (await serialOf(secondary)) === 2031010100)
  const change = variedZone
    .replace('2031010100', '2031010101')
    .replace('192.0.2.1\n', '192.0.2.99\n')
    .replace('TXT "hello"', 'TXT "other"')
  nsd.update(change)
  await until(async () => {
    await secondary.world.clock.advance(7_200_000)
    return (await serialOf(secondary)) === 2031010101
  })
  const fresh = await startSecondary(t, nsd.port)
  await until(async () => (await serialOf(fresh)) === 2031010101)
  t.deepEqual(contentOf(secondary), contentOf(fresh))
  t.true(contentOf(secondary).some(line => line.includes('192.0.2.99')))
  t.is(recordTypes.IXFR, 251)
})
