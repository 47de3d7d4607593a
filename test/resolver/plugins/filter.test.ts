import test, { type ExecutionContext } from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aaaaData, soaData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

const { A, AAAA, ANY, HTTPS, MX } = recordTypes
const edns = { udpSize: 1232, dnssecOk: false, options: [] }

const aaaaRecord = (name: string) => ({ name, type: AAAA, class: 1, ttl: 60, data: aaaaData.encode('2001:db8::1') })

const upstreamOf = (t: ExecutionContext) =>
  startUpstream(t, {
    respond({ question: { name, type } }) {
      const all = [aRecord(name, 60, '192.0.2.1'), aaaaRecord(name)]
      return type === MX
        ? { answers: [], additional: all }
        : { answers: all.filter(record => type === ANY || record.type === type) }
    },
  })

const start = async (t: ExecutionContext, lines: string, world = testWorld()) => {
  const upstream = await upstreamOf(t)
  const configuration = configure(`. {\n ${lines}\n cache\n forward . ${upstream.target}\n}`, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const asking = async (name: string, type: number) => {
    const reply = await ask(configuration, name, { type, edns })
    return { ...reply!, types: reply!.answers.map(record => record.type) }
  }
  return { upstream, asking }
}

test('a filtered type: empty, with SOA and the reason, and nobody is asked', async t => {
  const world = testWorld()
  const { upstream, asking } = await start(t, 'filter AAAA HTTPS', world)
  for (const type of [AAAA, HTTPS]) {
    const reply = await asking('www.example.org.', type)
    t.deepEqual(
      [reply.rcode, reply.types, reply.authoritative, reply.recursionAvailable],
      [rcodes.NOERROR, [], false, true],
    )
    t.deepEqual([reply.authority[0]?.name, reply.authority[0]?.ttl], ['.', 60])
    t.is(soaData.decode(reply.authority[0]!.data).minimum, 60)
    t.is(reply.extendedErrors?.[0]?.code, 17)
  }
  t.is(upstream.queries.length, 0)
  t.deepEqual((await asking('www.example.org.', A)).types, [A])
  t.regex(await world.registry.metrics(), /^seamark_filter_filtered_total\{server="dns:\/\/:53",type="AAAA"\} 1$/m)
})

test('records of the type do not come along with others, kept or fresh', async t => {
  const { asking } = await start(t, 'filter AAAA')
  for (let round = 0; round < 2; round++) {
    t.deepEqual((await asking('www.example.org.', ANY)).types, [A])
    t.deepEqual(
      (await asking('www.example.org.', MX)).additional.map(({ type }) => type),
      [A],
    )
  }
})

test('exceptions, and names of the server’s own, keep the type', async t => {
  const hosts = 'hosts /nowhere {\n  2001:db8::7 a.lan.example\n  fallthrough\n }'
  const { asking } = await start(t, `filter AAAA {\n  except six.example\n }\n ${hosts}`)
  t.deepEqual((await asking('www.six.example.', AAAA)).types, [AAAA])
  t.deepEqual((await asking('a.lan.example.', AAAA)).types, [AAAA])
  t.deepEqual((await asking('b.lan.example.', AAAA)).types, [])
})

test('single_family: the family that the machine lacks, and none where it has both or nothing is known', async t => {
  for (const [addresses, missing] of [
    [['192.0.2.53'], AAAA],
    [['2001:db8::53'], A],
    [['192.0.2.53', '169.254.20.10'], AAAA],
    [['2001:db8::53', '169.254.20.10'], A],
    [['192.0.2.53', '2001:db8::53'], undefined],
    [[], undefined],
  ] as const) {
    const world = testWorld({ localAddresses: () => addresses })
    const { upstream, asking } = await start(t, 'filter {\n  single_family\n }', world)
    for (const type of [A, AAAA]) {
      const { types } = await asking('www.example.org.', type)
      t.deepEqual(types, type === missing ? [] : [type], `${addresses} ${type}`)
    }
    t.is(upstream.queries.length, missing === undefined ? 2 : 1)
  }
})

test('single_family looks again: a pod may get its second address later', async t => {
  const addresses = ['192.0.2.53']
  const world = testWorld({ localAddresses: () => addresses })
  const { asking } = await start(t, 'filter {\n  single_family\n }', world)
  t.deepEqual((await asking('www.example.org.', AAAA)).types, [])
  addresses.push('2001:db8::53')
  await world.clock.advance(10_000)
  t.deepEqual((await asking('www.example.org.', AAAA)).types, [AAAA])
})

test('tells of types that are none or that names need, and of a line that filters nothing', t => {
  for (const [line, problem] of [
    ['filter AAAAA', '"AAAAA" is not a record type; did you mean "AAAA"?'],
    ['filter CNAME', 'CNAME cannot be filtered'],
    ['filter', 'needs a type, or single_family'],
  ] as const)
    t.deepEqual(problemsOf(`. {\n ${line}\n}`), [`Corefile:2: filter: ${problem}`])
})
