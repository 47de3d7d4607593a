import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aaaaData, aData, nameData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import { metric } from '../../support/dns-server.ts'
import { namespace, service } from '../../support/manifests.ts'
import { type Manifest, StaticCluster, staticSource } from '../../support/static-cluster.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const { A, AAAA, CNAME } = recordTypes

const pod = (inNamespace: string, name: string, status: object, spec: object = {}): Manifest => ({
  kind: 'Pod',
  metadata: { namespace: inNamespace, name },
  spec,
  status: { phase: 'Running', ...status },
})

const objects: readonly Manifest[] = [
  namespace('shop'),
  namespace('stock'),
  service('shop', 'web', '10.96.0.20'),
  service('stock', 'db', '10.96.0.30'),
  pod('shop', 'client', { podIP: '10.244.0.5', podIPs: [{ ip: '10.244.0.5' }, { ip: 'fd00::5' }] }),
  pod('shop', 'agent', { podIP: '192.0.2.10' }, { hostNetwork: true }),
  pod('shop', 'twin', { podIP: '10.244.0.6' }),
  pod('stock', 'twin', { podIP: '10.244.0.6' }),
]

const OUTSIDE = `hosts /nowhere {
  192.0.2.80 www.example.org
  2001:db8::80 www.example.org
  192.0.2.81 printer.corp.example
  192.0.2.82 only4.example.org
  fallthrough
}`

const POD = { client: '10.244.0.5' }

const start = async (
  t: ExecutionContext,
  { rest = OUTSIDE, pods = '', cluster = staticSource(objects), changes = {} as Partial<TestWorld> } = {},
): Promise<{ configuration: Configuration; world: TestWorld }> => {
  const resolvConf = join(temporaryFolder(t), 'resolv.conf')
  writeFileSync(resolvConf, 'search corp.example. shop.svc.cluster.local .\noptions ndots:5\n')
  const world = testWorld({ cluster, resolvConf, ...changes })
  const text = `.:53 {\n autopath @kubernetes\n kubernetes cluster.local {\n ${pods}\n }\n ${rest}\n}`
  const configuration = configure(text, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  return { configuration, world }
}

const show: Readonly<Record<number, (data: Buffer) => string>> = {
  [A]: data => aData.decode(data),
  [AAAA]: data => aaaaData.decode(data),
  [CNAME]: data => nameData.decode(data),
}

const found: Readonly<Record<string, readonly [name: string, type: number, answer: readonly string[]]>> = {
  'the candidate itself, without an alias': ['web.shop.svc.cluster.local.', A, ['10.96.0.20']],
  'a service of another namespace': [
    'db.stock.shop.svc.cluster.local.',
    A,
    ['db.stock.svc.cluster.local.', '10.96.0.30'],
  ],
  'a name with svc': ['db.stock.svc.shop.svc.cluster.local.', A, ['db.stock.svc.cluster.local.', '10.96.0.30']],
  'the node’s own search domain': ['printer.shop.svc.cluster.local.', A, ['printer.corp.example.', '192.0.2.81']],
  'the name alone': ['www.example.org.shop.svc.cluster.local.', A, ['www.example.org.', '192.0.2.80']],
  'the name alone, its other family': [
    'www.example.org.shop.svc.cluster.local.',
    AAAA,
    ['www.example.org.', '2001:db8::80'],
  ],
  'spelled as asked': ['DB.Stock.shop.SVC.cluster.local.', A, ['DB.Stock.svc.cluster.local.', '10.96.0.30']],
  'an empty answer ends the walk': ['only4.example.org.shop.svc.cluster.local.', AAAA, []],
}

for (const [about, [name, type, answer]] of Object.entries(found))
  test(`found: ${about}`, async t => {
    const { configuration, world } = await start(t)
    const reply = (await ask(configuration, name, { type, ...POD }))!
    t.is(reply.rcode, rcodes.NOERROR)
    t.deepEqual(
      reply.answers.map(record => show[record.type]!(record.data)),
      [...answer],
    )
    t.is(reply.question?.name, name)
    t.true(reply.answers.length === 0 || reply.answers[0]!.name === name)
    t.is(await metric(world.registry, 'coredns_autopath_success_total'), about.startsWith('the candidate') ? 0 : 1)
  })

const passed: Readonly<Record<string, readonly [name: string, client: string]>> = {
  'a client that is no pod': ['www.example.org.shop.svc.cluster.local.', '198.51.100.1'],
  'a pod on the host’s network': ['www.example.org.shop.svc.cluster.local.', '192.0.2.10'],
  'an address of two namespaces': ['www.example.org.shop.svc.cluster.local.', '10.244.0.6'],
  'another namespace’s first domain': ['www.example.org.stock.svc.cluster.local.', '10.244.0.5'],
  'a later domain of the list': ['www.example.org.svc.cluster.local.', '10.244.0.5'],
  'nothing is found': ['nosuch.example.net.shop.svc.cluster.local.', '10.244.0.5'],
}

for (const [about, [name, client]] of Object.entries(passed))
  test(`not found: ${about}`, async t => {
    const { configuration, world } = await start(t)
    const reply = (await ask(configuration, name, { client }))!
    t.is(reply.rcode, rcodes.NXDOMAIN)
    t.is(reply.authority[0]?.name, 'cluster.local.')
    t.is(await metric(world.registry, 'coredns_autopath_success_total'), 0)
  })

test('both addresses of a pod have its list, whatever `pods` says', async t => {
  for (const pods of ['', 'pods insecure', 'pods verified']) {
    const { configuration } = await start(t, { pods })
    const reply = await ask(configuration, 'db.stock.shop.svc.cluster.local.', { client: 'fd00:0::5' })
    t.is(reply?.rcode, rcodes.NOERROR)
  }
})

test('a failure ends the walk: what nobody can know yet is not looked for outside', async t => {
  const { configuration } = await start(t, { cluster: staticSource(objects, false) })
  const reply = await ask(configuration, 'www.example.org.shop.svc.cluster.local.', POD)
  t.is(reply?.rcode, rcodes.SERVFAIL)
})

test('a pod that goes takes its list along', async t => {
  const cluster = new StaticCluster(objects)
  const { configuration } = await start(t, { cluster: async () => cluster })
  const name = 'db.stock.shop.svc.cluster.local.'
  t.is((await ask(configuration, name, POD))?.rcode, rcodes.NOERROR)
  cluster.apply(pod('shop', 'client', { podIP: '10.244.0.5', phase: 'Succeeded' }))
  t.is((await ask(configuration, name, POD))?.rcode, rcodes.NXDOMAIN)
  cluster.apply(pod('stock', 'next', { podIP: '10.244.0.5' }))
  t.is((await ask(configuration, 'web.shop.stock.svc.cluster.local.', POD))?.rcode, rcodes.NOERROR)
})

test('the search domains of a file are everybody’s', async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'clients.conf'), 'search office.example corp.example\n')
  const text =
    '.:53 {\n autopath office.example clients.conf\n hosts /nowhere {\n 192.0.2.81 printer.corp.example\n }\n}'
  const configuration = configure(text, testWorld(), folder)
  const reply = (await ask(configuration, 'printer.office.example.'))!
  t.deepEqual(
    reply.answers.map(record => show[record.type]!(record.data)),
    ['printer.corp.example.', '192.0.2.81'],
  )
  t.is((await ask(configuration, 'office.example.'))?.rcode, rcodes.NXDOMAIN)
  t.is((await ask(configuration, 'printer.corp.example.'))?.answers.length, 1)
})

test('tells what is wrong with the directive', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'empty.conf'), 'nameserver 192.0.2.1\n')
  const block = (line: string) => problemsOf(`.:53 {\n ${line}\n}`, testWorld(), folder)
  t.deepEqual(block('autopath'), ['Corefile:2: autopath: needs a resolv.conf or "@kubernetes", after the zones'])
  t.deepEqual(block('autopath @kubernetes'), ['Corefile:2: autopath: "kubernetes" does not stand in this server block'])
  t.deepEqual(block('autopath @kubernets'), [
    'Corefile:2: autopath: "@kubernets" knows no clients; did you mean "kubernetes"?',
  ])
  t.deepEqual(block('autopath empty.conf'), ['Corefile:2: autopath: "empty.conf" has no search domains'])
  t.regex(block('autopath missing.conf')[0]!, /Corefile:2: autopath: ".*missing\.conf" cannot be read: ENOENT/)
  t.regex(block('autopath empty.conf {\n pods\n }')[0]!, /takes no properties, but has "pods"/)
})
