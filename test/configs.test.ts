/**
 * Every configuration that we ship is good (configs/Corefile is also what the README's session runs on), and those of the
 * distributions answer as they are. Nothing leaves the machine: what they forward goes to a server of the test.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { formatAddress } from '#lib/address.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { systemRandom } from '#lib/random.ts'
import { loadConfiguration, type World } from '#resolver/configuration.ts'
import { LiveConfiguration } from '#resolver/reload.ts'
import { classes, recordTypes } from '#resolver/wire/codes.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { projectRoot, seamark } from './support/cluster.ts'
import { ask, exchangeUdp } from './support/dns-client.ts'
import { PATIENCE } from './support/dns-server.ts'
import { queryPacket } from './support/query-packet.ts'
import { run } from './support/run.ts'
import { staticSource } from './support/static-cluster.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { aRecord, type StubUpstream, startUpstream } from './support/upstream.ts'

const folder = join(projectRoot, 'configs')
const examples = join(folder, 'examples')
const corefilesOf = (path: string): readonly string[] =>
  readdirSync(path)
    .filter(name => name.endsWith('Corefile'))
    .map(name => join(path, name))

test('every Corefile passes the check', async t => {
  const files = [...corefilesOf(folder), ...corefilesOf(examples)]
  t.true(files.length >= 9)
  for (const file of files) {
    const { code, stdout, stderr } = await run(seamark, ['check', '-conf', file])
    t.is(code, 0, stderr)
    t.regex(stdout, /is good: \d+ plugins/)
  }
})

test('GKE’s Corefile is what its ConfigMap of kube-dns is converted to', async t => {
  const { stdout, stderr } = await run(seamark, ['convert', '--kube-dns-config', join(examples, 'gke-kube-dns.yaml')])
  t.is(readFileSync(join(examples, 'gke.Corefile'), 'utf8').replace(/^#.*\n/gm, ''), stdout, stderr)
  const bad = await run(seamark, ['convert', '--kube-dns-config', '-'], {
    input: 'kind: ConfigMap\ndata:\n  federations: "a=b"\n  upstreamNameservers: "8.8.8.8"\n',
  })
  t.is(bad.code, 1)
  t.is(bad.stdout, '')
  t.regex(bad.stderr, /-: federations: .*\n\s*-: upstreamNameservers: not JSON/)
})

const CLUSTER_NAME = 'db.shop.svc.cluster.local'
const manifests = [
  { kind: 'Namespace', metadata: { name: 'shop' } },
  {
    kind: 'Service',
    metadata: { namespace: 'shop', name: 'db' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.77', clusterIPs: ['10.96.0.77'], ports: [{ port: 5432 }] },
  },
]

/** The flags of a machine where nothing but loopback is ours. */
const overrides = {
  'dns-address': '127.0.0.1:0',
  'metrics-address': '127.0.0.1:0',
  'health-address': '127.0.0.1:0',
  'ready-address': '127.0.0.1:0',
}

/** The distribution's file in a folder like its pod's; what it forwards goes to `upstream`. */
const installed = (t: ExecutionContext, file: string, upstream: StubUpstream): string => {
  const pod = temporaryFolder(t)
  const text = readFileSync(file, 'utf8')
    .replace(/^( *forward \.).*?( \{)?$/gm, `$1 ${upstream.target}$2`)
    .replaceAll('/etc/coredns', pod)
    .replaceAll('/rootfs/etc', pod)
    .replaceAll(/:(?:5353|8053) /g, ':53 ')
  t.false(text.includes('resolv.conf'))
  mkdirSync(join(pod, 'custom'))
  writeFileSync(join(pod, 'NodeHosts'), '192.0.2.21 node-1\n')
  writeFileSync(join(pod, 'hosts'), '192.0.2.22 node-2.k8s.local\n')
  writeFileSync(join(pod, 'custom', 'a.override'), 'rewrite name exact db.example db.shop.svc.cluster.local\n')
  writeFileSync(join(pod, 'custom', 'a.server'), 'team.example:53 {\n hosts {\n  192.0.2.7 www.team.example\n }\n}\n')
  writeFileSync(join(pod, 'Corefile'), text)
  return join(pod, 'Corefile')
}

const serve = async (t: ExecutionContext, file: string) => {
  const upstream = await startUpstream(t, {
    respond: ({ question: { name, type } }) =>
      type === recordTypes.A ? { answers: [aRecord(name, 30, '10.96.0.77')] } : { rcode: 3 },
  })
  const corefile = installed(t, file, upstream)
  const registry = createRegistry()
  const base = { clock: systemClock, logger: silentLogger, registry }
  const world: World = {
    ...base,
    random: systemRandom,
    version: '0.0.0-test',
    hostname: 'machine-1',
    localAddresses: () => ['192.0.2.53'],
    overrides,
    variables: {},
    cluster: staticSource(manifests),
    print: () => {},
  }
  const live: LiveConfiguration = new LiveConfiguration({
    ...base,
    load: requestReload => loadConfiguration({ file: corefile }, { ...world, requestReload }),
    converge: (listeners, endpoints) => server.converge(listeners, endpoints),
  })
  const options = readOptions(serverOptions, PATIENCE)
  if (!options.ok) throw new Error(options.problem)
  const server = new Server(live.respond, { ...base, options: options.value })
  t.teardown(async () => {
    await server.close()
    await live.close()
  })
  t.deepEqual(await live.start(), { outcome: 'reloaded' })
  const { dns, http } = server.addresses()
  t.is(dns.size, 1)
  const pages = (live.configuration?.endpoints ?? []).map(({ address, path }) => {
    const socket = http.get(formatAddress(address))
    return `http://127.0.0.1:${socket?.port}${path}`
  })
  return { port: [...dns.values()][0]!.port, pages, upstream }
}

const addressesOf = async (name: string, port: number, transport: 'udp' | 'tcp' = 'udp') =>
  (await ask({ name, port, transport })).answers.map((answer: { readonly data?: unknown }) => answer.data)

/** What a distribution's file has besides the cluster's names. */
const specialities: Readonly<Record<string, (t: ExecutionContext, port: number) => Promise<void>>> = {
  'k3s.Corefile': async (t, port) => {
    t.deepEqual(await addressesOf('node-1', port), ['192.0.2.21'])
    t.deepEqual(await addressesOf('db.example', port), ['10.96.0.77'])
    t.deepEqual(await addressesOf('www.team.example', port), ['192.0.2.7'])
  },
  'aks.Corefile': async (t, port) => {
    t.deepEqual(await addressesOf('db.example', port), ['10.96.0.77'])
    t.deepEqual(await addressesOf('www.team.example', port), ['192.0.2.7'])
    t.is((await ask({ name: 'a.b.c.d.internal.cloudapp.net', port })).rcode, 'NXDOMAIN')
    t.is((await ask({ name: 'a.reddog.microsoft.com', port })).rcode, 'NXDOMAIN')
  },
  'kops.Corefile': async (t, port) => void t.deepEqual(await addressesOf('node-2.k8s.local', port), ['192.0.2.22']),
  'kubespray.Corefile': async (t, port) =>
    void t.deepEqual(await addressesOf('node-2.k8s.local', port), ['192.0.2.22']),
  'gardener.Corefile': async (t, port) => {
    t.deepEqual(await addressesOf(`${CLUSTER_NAME}.svc.cluster.local`, port), ['10.96.0.77'])
    const { answers } = await ask({ name: 'www.example.com.svc.cluster.local', port })
    t.is((answers as readonly { readonly name?: string }[])[0]?.name, 'www.example.com.svc.cluster.local')
    t.deepEqual(await addressesOf('www.team.example', port), ['192.0.2.7'])
  },
  'openshift.Corefile': async (t, port) => {
    const packet = queryPacket('hostname.bind.', { class: classes.CH, type: recordTypes.TXT })
    t.true((await exchangeUdp(packet, port)).includes('machine-1'))
  },
}

for (const file of corefilesOf(examples)) {
  const name = file.slice(examples.length + 1)
  test(`${name} starts and answers`, async t => {
    const { port, pages, upstream } = await serve(t, file)
    const text = readFileSync(file, 'utf8')
    const asked = () => upstream.queries.filter(({ question }) => question.canonicalName === `${CLUSTER_NAME}.`)
    t.deepEqual(await addressesOf(CLUSTER_NAME, port), ['10.96.0.77'])
    t.deepEqual(await addressesOf(CLUSTER_NAME, port, 'tcp'), ['10.96.0.77'])
    // The cluster's names are known at first hand, but where there is no such plugin: those come over TCP, once.
    t.deepEqual(
      asked().map(({ transport }) => transport),
      text.includes('kubernetes') && !name.startsWith('nodelocaldns') ? [] : ['tcp'],
    )
    t.deepEqual(await addressesOf('www.corp.example', port), ['10.96.0.77'])
    await specialities[name]?.(t, port)
    const paths = pages.map(page => new URL(page).pathname)
    for (const [directive, path] of [
      ['health', '/health'],
      ['ready', '/ready'],
      ['prometheus', '/metrics'],
    ] as const)
      t.is(paths.includes(path), new RegExp(`^ +${directive}\\b`, 'm').test(text), path)
    for (const page of pages) {
      const response = await fetch(page, { headers: { connection: 'close' } })
      t.is(response.status, 200, page)
      const body = await response.text()
      if (page.endsWith('/metrics')) t.regex(body, /^coredns_dns_requests_total\{.*zone="\."/m)
    }
  })
}
