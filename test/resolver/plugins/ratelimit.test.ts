import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { rcodeName } from '#resolver/wire/codes.ts'
import { type Ask, ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { namespace } from '../../support/manifests.ts'
import { staticSource } from '../../support/static-cluster.ts'

const REST = ` template ANY ANY no.example.org {
  rcode NXDOMAIN
 }
 template IN A {
  answer "{{ .Name }} 30 A 192.0.2.80"
 }
`

/** What became of each of `times` questions. */
const outcomes = async (configuration: Configuration, times: number, name: string, question: Ask = {}) => {
  const all: string[] = []
  for (let turn = 0; turn < times; turn++) {
    const reply = await ask(configuration, name, question)
    all.push(reply ? (reply.truncated ? 'TC' : rcodeName(reply.rcode)) : '-')
  }
  return all.join(' ')
}

const limited = (lines: string, world = testWorld()) => configure(`. {\n ratelimit {\n${lines}\n }\n${REST}}`, world)

test('so many, then every second one is sent to TCP; time gives anew', async t => {
  const world = testWorld()
  const configuration = limited('queries 2 3', world)
  t.is(await outcomes(configuration, 7, 'www.example.org.'), 'NOERROR NOERROR NOERROR - TC - TC')
  await world.clock.advance(1000)
  t.is(await outcomes(configuration, 3, 'www.example.org.'), 'NOERROR NOERROR -')
})

test('slip: all or none', async t => {
  t.is(await outcomes(limited('queries 1\n slip 1'), 3, 'www.example.org.'), 'NOERROR TC TC')
  t.is(await outcomes(limited('queries 1\n slip 0'), 3, 'www.example.org.'), 'NOERROR - -')
})

test('a client has no share in another’s flood', async t => {
  const configuration = limited('queries 2')
  t.is(await outcomes(configuration, 3, 'www.example.org.', { client: '192.0.2.66' }), 'NOERROR NOERROR -')
  t.is(await outcomes(configuration, 2, 'www.example.org.', { client: '192.0.2.7' }), 'NOERROR NOERROR')
})

test('denials have a budget of their own', async t => {
  const configuration = limited('nxdomain 2\n slip 1')
  t.is(await outcomes(configuration, 4, 'no.example.org.'), 'NXDOMAIN NXDOMAIN TC TC')
  t.is(await outcomes(configuration, 4, 'www.example.org.'), 'NOERROR NOERROR NOERROR NOERROR')
})

test('both budgets: a question that is cut off costs no denial', async t => {
  const configuration = limited('queries 3\n nxdomain 1\n slip 1')
  t.is(await outcomes(configuration, 5, 'no.example.org.'), 'NXDOMAIN TC TC TC TC')
})

test('not over TCP, not for those who are exempt, not for other zones', async t => {
  const configuration = configure(
    `. {\n ratelimit example.org {\n queries 1\n exempt 192.0.2.0/28 2001:db8::/32\n }\n${REST}}`,
  )
  const twice = (name: string, question: Ask) => outcomes(configuration, 2, name, question)
  t.is(await twice('www.example.org.', { client: '192.0.2.66' }), 'NOERROR -')
  t.is(await twice('www.example.org.', { client: '192.0.2.66', transport: 'tcp' }), 'NOERROR NOERROR')
  t.is(await twice('www.example.org.', { client: '192.0.2.7' }), 'NOERROR NOERROR')
  t.is(await twice('www.example.org.', { client: '2001:db8::7' }), 'NOERROR NOERROR')
  t.is(await twice('www.example.net.', { client: '192.0.2.66' }), 'NOERROR NOERROR')
})

const metricsOf = async (world: ReturnType<typeof testWorld>) => (await world.registry.metrics()).split('\n')

test('audit: all are answered, counted and told once a second', async t => {
  const warnings: object[] = []
  const world = testWorld()
  const logger = Object.assign(Object.create(world.logger), { warn: (fields: object) => void warnings.push(fields) })
  const configuration = limited('queries 1\n audit', { ...world, logger })
  t.is(await outcomes(configuration, 4, 'www.example.org.'), 'NOERROR NOERROR NOERROR NOERROR')
  await world.clock.advance(500)
  t.is(await outcomes(configuration, 1, 'www.example.org.'), 'NOERROR')
  t.true(
    (await metricsOf(world)).includes(
      'seamark_ratelimit_limited_total{server="dns://:53",zone=".",view="",budget="queries",action="answered"} 4',
    ),
  )
  t.deepEqual(warnings, [
    {
      plugin: 'ratelimit',
      client: '192.0.2.7',
      budget: 'queries',
      action: 'answered',
      name: 'www.example.org.',
      since: 1,
    },
  ])
})

test('counts by what became of it', async t => {
  const world = testWorld()
  await outcomes(limited('queries 1', world), 4, 'www.example.org.')
  const lines = await metricsOf(world)
  const of = (action: string) => lines.find(line => line.includes(`budget="queries",action="${action}"`))?.split(' ')[1]
  t.deepEqual([of('dropped'), of('truncated')], ['2', '1'])
})

test('a reload does not forgive', async t => {
  const before = limited('queries 1')
  t.is(await outcomes(before, 1, 'www.example.org.'), 'NOERROR')
  const after = limited('queries 1')
  after.adopt(before)
  t.is(await outcomes(after, 1, 'www.example.org.'), '-')
})

const pod = (inNamespace: string, name: string, podIP: string) => ({
  kind: 'Pod',
  metadata: { namespace: inNamespace, name },
  spec: {},
  status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
})

const startWithPods = async (t: ExecutionContext): Promise<Configuration> => {
  const pods = [pod('shop', 'a', '10.244.0.5'), pod('shop', 'b', '10.244.0.6'), pod('stock', 'c', '10.244.0.7')]
  const world = testWorld({ cluster: staticSource([namespace('shop'), namespace('stock'), ...pods]) })
  const lines = 'ratelimit {\n queries 2\n by namespace\n }\n kubernetes cluster.local'
  const configuration = configure(`. {\n ${lines}\n${REST}}`, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  return configuration
}

test('by namespace: its pods share a budget, others have their own', async t => {
  const configuration = await startWithPods(t)
  const from = (client: string) => outcomes(configuration, 1, 'www.example.org.', { client })
  t.deepEqual(
    [await from('10.244.0.5'), await from('10.244.0.6'), await from('10.244.0.5'), await from('10.244.0.7')],
    ['NOERROR', 'NOERROR', '-', 'NOERROR'],
  )
  t.deepEqual([await from('192.0.2.9'), await from('192.0.2.10')], ['NOERROR', 'NOERROR'])
})

test('tells what is wrong', t => {
  const problem = (lines: string) => problemsOf(`. {\n ratelimit {\n${lines}\n }\n}`)[0] ?? ''
  t.regex(problem('slip 2'), /needs "queries" or "nxdomain"/)
  t.regex(problem('queries 0'), /"0" is not a number of a second \(1 to 1000000\)/)
  t.regex(problem('queries 5\n by namespace'), /needs "kubernetes"/)
  t.regex(problem('queries 5\n exempt 1'), /"1" is neither an address nor a network/)
})
