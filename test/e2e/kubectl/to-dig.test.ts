/** From kubectl to dig: a manifest is applied, every name in it resolves; it is deleted, and none does. */
import test from 'ava'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { kubectl } from '../../support/kubectl.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { run } from '../../support/run.ts'
import { SHOP_MANIFEST } from '../../support/shop-manifest.ts'

interface ListedService {
  readonly metadata: { readonly namespace: string; readonly name: string }
  readonly spec: { readonly clusterIP?: string; readonly externalName?: string }
}

const ZONE = 'svc.cluster.local'

/** What dig prints of the answer and authority sections, a record a line, TTL and class left out. */
const dig = async (cluster: Cluster, ...question: string[]): Promise<{ status: string; records: string[] }> => {
  const args = [
    '@127.0.0.1',
    '-p',
    String(cluster.dnsPort),
    '+tries=1',
    '+time=60',
    '+noall',
    '+comments',
    '+answer',
    '+authority',
    ...question,
  ]
  const { stdout } = await run('dig', args)
  const records = stdout
    .split('\n')
    .filter(line => line !== '' && !line.startsWith(';'))
    .map(line => line.split(/\s+/).toSpliced(1, 2).join(' '))
  return { status: stdout.match(/status: ([A-Z]+)/)?.[1] ?? '', records }
}

const SOA = /^cluster\.local\. SOA ns\.dns\.cluster\.local\. hostmaster\.cluster\.local\. \d+ 7200 1800 86400 5$/

test.serial('a manifest of three namespaces and twenty Services, asked by dig', async t => {
  if (!findProgram('dig')) return skip(t, 'needs dig')
  const cluster = await startCluster(t)
  const control = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(args, { kubeconfig: cluster.kubeconfig, input: SHOP_MANIFEST })
    t.is(code, 0, stderr)
    return stdout
  }
  await control('apply', '-f', '-')
  const listed = JSON.parse(await control('get', 'services', '-A', '-o', 'json')) as { items: ListedService[] }
  t.is(listed.items.length, 22)
  for (const { metadata, spec } of listed.items) {
    const name = `${metadata.name}.${metadata.namespace}.${ZONE}.`
    const { status, records } = await dig(cluster, name)
    if (spec.clusterIP === 'None') continue
    const [record = ''] = records
    t.is(record, spec.externalName ? `${name} CNAME ${spec.externalName}.` : `${name} A ${spec.clusterIP}`)
    if (spec.externalName) continue
    t.is(status, 'NOERROR')
    const aaaa = await dig(cluster, name, 'AAAA')
    t.is(aaaa.status, 'NOERROR')
    t.regex(aaaa.records.join(), SOA)
    t.deepEqual(
      (await dig(cluster, '-x', spec.clusterIP as string)).records.map(line => line.split(' ')[2]),
      [name],
    )
  }

  const answers: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[`db.data.${ZONE}`], [`db.data.${ZONE}. A 192.0.2.1`]],
    [[`db-0.db.data.${ZONE}`], [`db-0.db.data.${ZONE}. A 192.0.2.1`]],
    [[`_pg._tcp.db.data.${ZONE}`, 'SRV'], [`_pg._tcp.db.data.${ZONE}. SRV 0 100 5432 db-0.db.data.${ZONE}.`]],
    [
      [`_metrics._tcp.web-3.shop.${ZONE}`, 'SRV'],
      [`_metrics._tcp.web-3.shop.${ZONE}. SRV 0 100 9090 web-3.shop.${ZONE}.`],
    ],
    [[`_dns._udp.names.edge.${ZONE}`, 'SRV'], [`_dns._udp.names.edge.${ZONE}. SRV 0 100 53 names.edge.${ZONE}.`]],
    [[`mail.edge.${ZONE}`, 'CNAME'], [`mail.edge.${ZONE}. CNAME mail.example.org.`]],
    [['-x', '192.0.2.1'], [`1.2.0.192.in-addr.arpa. PTR db-0.db.data.${ZONE}.`]],
  ]
  for (const [question, records] of answers) t.deepEqual((await dig(cluster, ...question)).records, records)

  for (const name of [
    `db-1.db.data.${ZONE}`,
    `web-10.shop.${ZONE}`,
    `_http._udp.web-0.shop.${ZONE}`,
    `web-0.shops.${ZONE}`,
  ]) {
    const { status, records } = await dig(cluster, name)
    t.is(status, 'NXDOMAIN', name)
    t.regex(records.join(), SOA, name)
  }

  await control('delete', 'namespace', 'shop', 'data', 'edge')
  for (const name of [`web-0.shop.${ZONE}`, `db.data.${ZONE}`, `mail.edge.${ZONE}`]) {
    t.is((await dig(cluster, name)).status, 'NXDOMAIN', name)
  }
})
