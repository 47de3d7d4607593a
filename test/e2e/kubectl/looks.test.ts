/** What people do with kubectl, first part: apply and look. The real one, against a real apiserver over HTTPS. */
import anyTest, { type TestFn } from 'ava'
import { parse, parseAllDocuments } from 'yaml'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'
import { SHOP_MANIFEST } from '../../support/shop-manifest.ts'

const test = anyTest.serial as TestFn
const { attempt, run } = kubectlCluster(test)

const words = (line = ''): string[] => line.trim().split(/\s+/)
/** The columns, which two blanks or more part. */
const columns = (line = ''): string[] => line.trim().split(/\s{2,}/)
const sorted = (lines: string): string[] => lines.split('\n').sort()

const SHOP_NAMES = SHOP_MANIFEST.split('---\n').map(text => {
  const { kind, metadata } = parse(text) as { kind: string; metadata: { name: string } }
  const group = kind === 'EndpointSlice' ? '.discovery.k8s.io' : ''
  return `${kind.toLowerCase()}${group}/${metadata.name}`
})

test('apply creates 24 objects; again, all are unchanged; with a change, that one is configured', async t => {
  const told = (verb: string) => SHOP_NAMES.map(name => `${name} ${verb}`).sort()
  t.deepEqual(sorted(await run(t, ['apply', '-f', '-'], { input: SHOP_MANIFEST })), told('created'))
  t.deepEqual(sorted(await run(t, ['apply', '-f', '-'], { input: SHOP_MANIFEST })), told('unchanged'))
  const changed = SHOP_MANIFEST.replace('targetPort: 8003', 'targetPort: 8103')
  const again = sorted(await run(t, ['apply', '-f', '-'], { input: changed }))
  t.deepEqual(
    again.filter(line => !line.endsWith('unchanged')),
    ['service/web-3 configured'],
  )
  t.is(await run(t, ['get', 'svc', 'web-3', '-n', 'shop', '-o', 'jsonpath={.spec.ports[0].targetPort}']), '8103')
})

test('apply removes what the manifest no longer has, and only that', async t => {
  const manifest = (ports: object[]) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'pruned' }, spec: { ports } })
  const http = { name: 'http', port: 80 }
  await run(t, ['apply', '-f', '-'], { input: manifest([http, { name: 'more', port: 81 }]) })
  const address = await run(t, ['get', 'svc', 'pruned', '-o', 'jsonpath={.spec.clusterIP}'])
  await run(t, ['label', 'svc', 'pruned', 'mine=yes'])
  await run(t, ['apply', '-f', '-'], { input: manifest([http]) })
  t.is(
    await run(t, [
      'get',
      'svc',
      'pruned',
      '-o',
      'jsonpath={.spec.ports[*].name} {.spec.clusterIP} {.metadata.labels.mine}',
    ]),
    `http ${address} yes`,
  )
})

test('get shows the columns that kubectl users know', async t => {
  const services = (await run(t, ['get', 'svc', '-A', '-o', 'wide'])).split('\n')
  t.deepEqual(columns(services[0]), [
    'NAMESPACE',
    'NAME',
    'TYPE',
    'CLUSTER-IP',
    'EXTERNAL-IP',
    'PORT(S)',
    'AGE',
    'SELECTOR',
  ])
  const row = (name: string) => columns(services.find(line => words(line)[1] === name)).toSpliced(6, 1)
  t.deepEqual(row('kubernetes'), ['default', 'kubernetes', 'ClusterIP', '10.96.0.1', '<none>', '443/TCP', '<none>'])
  t.deepEqual(row('kube-dns'), [
    'kube-system',
    'kube-dns',
    'ClusterIP',
    '10.96.0.10',
    '<none>',
    '53/UDP,53/TCP,9153/TCP',
    '<none>',
  ])
  t.deepEqual(row('db'), ['data', 'db', 'ClusterIP', 'None', '<none>', '5432/TCP', '<none>'])
  t.deepEqual(row('mail'), ['edge', 'mail', 'ExternalName', '<none>', 'mail.example.org', '<none>', '<none>'])
  t.deepEqual(row('fixed'), ['edge', 'fixed', 'ClusterIP', '10.96.0.77', '<none>', '1/TCP', 'app=fixed'])
  t.is(row('front')[5], '80:30080/TCP')
  t.regex(row('balanced').join(' '), /^edge balanced LoadBalancer \S+ <pending> 443:3\d{4}\/TCP app=front$/)
  t.regex(row('web-0').join(' '), /^shop web-0 ClusterIP 10\.\S+ <none> 80\/TCP,9090\/TCP app=web$/)

  const header = async (...args: string[]) => columns((await run(t, ['get', ...args])).split('\n')[0])
  t.deepEqual(await header('ns'), ['NAME', 'STATUS', 'AGE'])
  t.deepEqual(await header('endpointslices', '-n', 'data'), ['NAME', 'ADDRESSTYPE', 'PORTS', 'ENDPOINTS', 'AGE'])
  t.deepEqual(await header('endpoints'), ['NAME', 'ENDPOINTS', 'AGE'])
  t.deepEqual(await header('ipaddresses'), ['NAME', 'PARENTREF'])
  t.deepEqual(await header('servicecidrs'), ['NAME', 'CIDRS', 'AGE'])
  const slice = words(await run(t, ['get', 'endpointslice', 'db-1', '-n', 'data', '--no-headers']))
  t.deepEqual(slice.slice(0, 4), ['db-1', 'IPv4', '5432', '192.0.2.1,192.0.2.2'])
})

test('get all, several kinds at once, by label, by field, sorted', async t => {
  const all = await run(t, ['get', 'all', '-n', 'data', '-o', 'name'])
  t.deepEqual(sorted(all), ['service/cache', 'service/db', 'service/queue'])
  t.deepEqual(sorted(await run(t, ['get', 'svc,endpointslices', '-n', 'data', '-o', 'name'])), [
    'endpointslice.discovery.k8s.io/db-1',
    'service/cache',
    'service/db',
    'service/queue',
  ])
  t.is(await run(t, ['get', 'svc', '-A', '-l', 'app in (mail,docs)', '-o', 'name']), 'service/docs\nservice/mail')
  t.is(await run(t, ['get', 'svc', '-A', '--field-selector', 'metadata.name=queue', '-o', 'name']), 'service/queue')
  t.is(
    await run(t, ['get', 'svc', '-n', 'edge', '--field-selector', 'spec.type=NodePort', '-o', 'name']),
    'service/back\nservice/front',
  )
  const names = await run(t, ['get', 'svc', '-n', 'shop', '--sort-by', '.spec.ports[0].targetPort', '-o', 'name'])
  t.is(names.split('\n').at(-1), 'service/web-3')
  t.is(
    await run(t, ['get', 'svc', '-n', 'shop', '--chunk-size', '3', '-o', 'name']).then(text => text.split('\n').length),
    10,
  )
})

test('every form of output says the same', async t => {
  const get = (...output: string[]) => run(t, ['get', 'svc', 'queue', '-n', 'data', ...output])
  const json = JSON.parse(await get('-o', 'json'))
  t.like(json, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'queue', namespace: 'data' },
    spec: { sessionAffinity: 'ClientIP' },
  })
  t.deepEqual(parse(await get('-o', 'yaml')), json)
  t.is(await get('-o', 'name'), 'service/queue')
  t.is(await get('-o', 'jsonpath={.spec.sessionAffinityConfig.clientIP.timeoutSeconds}'), '10800')
  t.is(await get('-o', 'go-template={{.spec.type}}'), 'ClusterIP')
  t.is(await get('-o', 'custom-columns=A:.metadata.name,B:.spec.ports[0].port', '--no-headers'), 'queue   5672')
  t.regex(await get('--show-labels'), /app=queue$/)
  const list = JSON.parse(await run(t, ['get', 'svc', '-n', 'data', '-o', 'json'])) as {
    kind: string
    items: { kind: string }[]
  }
  t.deepEqual([list.kind, ...list.items.map(item => item.kind)], ['List', 'Service', 'Service', 'Service'])
})

test('describe tells of services, namespaces, slices, pods and nodes', async t => {
  const service = await run(t, ['describe', 'svc', 'front', '-n', 'edge'])
  for (const line of [
    /^Name: +front$/m,
    /^Type: +NodePort$/m,
    /^IP Family Policy: +SingleStack$/m,
    /^IP Families: +IPv4$/m,
    /^NodePort: +<unset> +30080\/TCP$/m,
    /^Selector: +app=front$/m,
    /^Events: +<none>$/m,
  ])
    t.regex(service, line)
  t.regex(await run(t, ['describe', 'svc', 'db', '-n', 'data']), /^Endpoints: +192\.0\.2\.1:5432$/m)
  t.regex(await run(t, ['describe', 'ns', 'shop']), /^Status: +Active$/m)
  t.regex(
    await run(t, ['describe', 'endpointslice', 'db-1', '-n', 'data']),
    /Addresses: +192\.0\.2\.1\n +Conditions:\n +Ready: +true\n +Hostname: +db-0/,
  )
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'lone', labels: { app: 'lone' } },
    spec: { containers: [{ name: 'main', image: 'example/main:1', ports: [{ containerPort: 80 }] }] },
  }
  await run(t, ['create', '-f', '-'], { input: JSON.stringify(pod) })
  const described = await run(t, ['describe', 'pod', 'lone'])
  for (const line of [/^Status: +Pending$/m, /^ +Image: +example\/main:1$/m, /^QoS Class: +BestEffort$/m])
    t.regex(described, line)
  const [header, row] = (await run(t, ['get', 'pod', 'lone', '-o', 'wide'])).split('\n')
  t.deepEqual(columns(header), [
    'NAME',
    'READY',
    'STATUS',
    'RESTARTS',
    'AGE',
    'IP',
    'NODE',
    'NOMINATED NODE',
    'READINESS GATES',
  ])
  t.deepEqual(words(row).slice(0, 4), ['lone', '0/1', 'Pending', '0'])
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.244.0.0/24' } }
  await run(t, ['create', '-f', '-'], { input: JSON.stringify(node) })
  t.regex(await run(t, ['describe', 'node', 'n1']), /^PodCIDR: +10\.244\.0\.0\/24$/m)
  t.deepEqual(words(await run(t, ['get', 'node', 'n1', '--no-headers'])).slice(0, 3), ['n1', 'Unknown', '<none>'])
  await run(t, ['delete', 'pod', 'lone', '--now'])
  await run(t, ['delete', 'node', 'n1'])
})

test('explain knows types, fields and groups', async t => {
  const field = await run(t, ['explain', 'service.spec.clusterIP'])
  t.regex(field, /^KIND: +Service\nVERSION: +v1\n/)
  t.regex(field, /FIELD: clusterIP <string>/)
  const slice = await run(t, ['explain', 'endpointslice'])
  t.regex(slice, /^GROUP: +discovery\.k8s\.io\nKIND: +EndpointSlice\nVERSION: +v1\n/)
  t.regex(slice, /addressType\t<string> -required-/)
  const recursive = await run(t, ['explain', 'service', '--recursive'])
  for (const line of [/^ {2}spec\t<ServiceSpec>$/m, /^ {4}ports\t<\[\]ServicePort>$/m, /^ {6}nodePort\t<integer>$/m])
    t.regex(recursive, line)
  t.regex((await attempt(['explain', 'service.spec.nothing'])).stderr, /field "nothing" does not exist/)
})

test('cluster-info, version, api-versions and api-resources', async t => {
  t.regex(await run(t, ['cluster-info']), /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1:/)
  const version = JSON.parse(await run(t, ['version', '-o', 'json'])) as {
    serverVersion: { major: string; minor: string }
  }
  t.deepEqual([version.serverVersion.major, version.serverVersion.minor], ['1', '35'])
  const versions = await run(t, ['api-versions'])
  const groups = 'apps authentication.k8s.io authorization.k8s.io batch coordination.k8s.io discovery.k8s.io'
  for (const group of groups.split(' ')) t.regex(versions, new RegExp(`^${group}/v1$`, 'm'))
  t.regex(versions, /^v1$/m)
  const resources = (await run(t, ['api-resources', '--no-headers'])).split('\n').map(words)
  t.deepEqual(
    resources.find(([name]) => name === 'services'),
    ['services', 'svc', 'v1', 'true', 'Service'],
  )
  t.deepEqual(
    resources.find(([name]) => name === 'endpointslices'),
    ['endpointslices', 'discovery.k8s.io/v1', 'true', 'EndpointSlice'],
  )
  t.deepEqual(
    resources.find(([name]) => name === 'ipaddresses'),
    ['ipaddresses', 'ip', 'networking.k8s.io/v1', 'false', 'IPAddress'],
  )
  t.is(await run(t, ['get', '--raw', '/readyz']), 'ok')
})

test('dry runs change nothing', async t => {
  const before = await run(t, ['get', 'svc', '-A', '-o', 'name'])
  t.is(
    await run(t, ['create', 'service', 'clusterip', 'ghost', '--tcp', '80', '--dry-run=server']),
    'service/ghost created (server dry run)',
  )
  t.is(
    await run(t, ['delete', 'svc', 'queue', '-n', 'data', '--dry-run=server']),
    'service "queue" deleted from data namespace (server dry run)',
  )
  t.is(await run(t, ['get', 'svc', '-A', '-o', 'name']), before)
})

test('diff shows what apply would change', async t => {
  const changed = parseAllDocuments(SHOP_MANIFEST)
    .map(document => document.toJS())
    .find(({ metadata }) => metadata.name === 'queue')
  const same = await attempt(['diff', '-f', '-'], { input: JSON.stringify(changed) })
  t.deepEqual([same.code, same.stdout], [0, ''], same.stderr)
  changed.spec.ports[0].port = 5673
  const different = await attempt(['diff', '-f', '-'], { input: JSON.stringify(changed) })
  t.is(different.code, 1, different.stderr)
  t.regex(different.stdout, /^- +- port: 5672$/m)
  t.regex(different.stdout, /^\+ +- port: 5673$/m)
})

test('delete: by name, by label, by file, a whole namespace', async t => {
  t.is(await run(t, ['delete', 'svc', 'web-9', '-n', 'shop']), 'service "web-9" deleted from shop namespace')
  t.is(
    (await attempt(['get', 'svc', 'web-9', '-n', 'shop'])).stderr.trim(),
    'Error from server (NotFound): services "web-9" not found',
  )
  await run(t, ['delete', 'svc', '-n', 'shop', '-l', 'app in (web-7,web-8)'])
  t.is((await run(t, ['get', 'svc', '-n', 'shop', '-o', 'name'])).split('\n').length, 7)
  await run(t, ['delete', 'svc', '--all', '-n', 'edge'])
  t.is(await run(t, ['get', 'svc', '-n', 'edge', '-o', 'name']), '')
  // kubectl waits until the namespaces are gone: the namespace controller has emptied them.
  await run(t, ['delete', '-f', '-', '--ignore-not-found'], { input: SHOP_MANIFEST })
  const left = await run(t, ['get', 'ns', '-o', 'name'])
  t.false(/shop|data|edge/.test(left), left)
  t.is(
    await run(t, [
      'get',
      'ipaddresses',
      '-o',
      'name',
      '-l',
      'ipaddress.kubernetes.io/managed-by=ipallocator.k8s.io',
    ]).then(names => names.includes('10.96.0.77')),
    false,
  )
})
