/** What people do with kubectl's server-side apply: share, conflict, force, go over to it and back. */
import anyTest, { type TestFn } from 'ava'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'
import { SHOP_MANIFEST } from '../../support/shop-manifest.ts'

const test = anyTest.serial as TestFn
const { attempt, run } = kubectlCluster(test)

const settings = (data: Readonly<Record<string, string>>, metadata: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', ...metadata }, data })

const APPLY = ['apply', '--server-side', '-f', '-']

interface Entry {
  readonly manager: string
  readonly operation: string
  readonly subresource?: string
  readonly time?: string
  readonly fieldsV1: Readonly<Record<string, Record<string, unknown>>>
}

const ownersOf = async (t: Parameters<typeof run>[0], ...named: string[]): Promise<Entry[]> =>
  JSON.parse(await run(t, ['get', ...named, '-o', 'json', '--show-managed-fields'])).metadata.managedFields

test('a manifest of many kinds is applied on the server, twice', async t => {
  const once = await run(t, APPLY, { input: SHOP_MANIFEST })
  t.is(once.split('\n').length, SHOP_MANIFEST.split('---\n').length)
  for (const line of once.split('\n')) t.regex(line, /serverside-applied$/)
  const versions = () =>
    run(t, ['get', 'svc,cm,endpointslices', '-A', '-o', 'jsonpath={.items[*].metadata.resourceVersion}'])
  const before = await versions()
  t.is(await run(t, APPLY, { input: SHOP_MANIFEST }), once)
  t.is(await versions(), before, 'what changes nothing is not written')
})

test('kubectl shows owners when asked, and not otherwise', async t => {
  await run(t, APPLY, { input: settings({ a: '1', b: '2' }) })
  t.notRegex(await run(t, ['get', 'cm', 'settings', '-o', 'yaml']), /managedFields/)
  const [owner, ...others] = await ownersOf(t, 'cm', 'settings')
  t.deepEqual(others, [])
  t.like(owner, { manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } } })
  t.regex(owner?.time ?? '', /^\d{4}-/)
})

test('a conflict is told with its owner and field, and force takes the field over', async t => {
  await run(t, ['patch', 'cm', 'settings', '--type', 'merge', '-p', '{"data":{"a":"3"}}'])
  const { code, stderr } = await attempt(APPLY, { input: settings({ a: '1', b: '2' }) })
  t.is(code, 1)
  t.regex(stderr, /Apply failed with 1 conflict: conflict with "kubectl-patch" using v1: \.data\.a/)
  t.regex(stderr, /--force-conflicts/)
  t.is(await run(t, ['get', 'cm', 'settings', '-o', 'jsonpath={.data.a}']), '3')
  await run(t, [...APPLY, '--force-conflicts'], { input: settings({ a: '1', b: '2' }) })
  t.is(await run(t, ['get', 'cm', 'settings', '-o', 'jsonpath={.data.a}']), '1')
  t.deepEqual(
    (await ownersOf(t, 'cm', 'settings')).map(({ manager }) => manager),
    ['kubectl'],
  )
})

test('two managers share what they agree on, and a field goes when nobody names it', async t => {
  const as = (manager: string) => [...APPLY, '--field-manager', manager]
  await run(t, as('second'), { input: settings({ a: '1', c: '4' }) })
  const owned = Object.fromEntries(
    (await ownersOf(t, 'cm', 'settings')).map(({ manager, fieldsV1 }) => [
      manager,
      Object.keys(fieldsV1['f:data'] ?? {}),
    ]),
  )
  t.deepEqual(owned, { kubectl: ['f:a', 'f:b'], second: ['f:a', 'f:c'] })
  await run(t, APPLY, { input: settings({}) })
  t.is(await run(t, ['get', 'cm', 'settings', '-o', 'jsonpath={.data}']), '{"a":"1","c":"4"}')
  await run(t, as('second'), { input: settings({ c: '4' }) })
  t.is(await run(t, ['get', 'cm', 'settings', '-o', 'jsonpath={.data}']), '{"c":"4"}')
})

test('two owners of several fields are told apart in one refusal', async t => {
  await run(t, [...APPLY, '--field-manager', 'second'], { input: settings({ c: '4', d: '5' }) })
  await run(t, ['label', 'cm', 'settings', 'tier=front'])
  const input = settings({ c: '1', d: '1' }, { labels: { tier: 'back' } })
  const { stderr } = await attempt(APPLY, { input })
  t.regex(
    stderr,
    /Apply failed with 3 conflicts: conflicts with "kubectl-label" using v1:\n- \.metadata\.labels\.tier\nconflicts with "second":\n- \.data\.c\n- \.data\.d/,
  )
})

test('from client-side apply to server-side apply, without conflicts', async t => {
  const manifest = (ports: object[]) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'mover' }, spec: { ports } })
  const http = { name: 'http', port: 80, protocol: 'TCP', targetPort: 80 }
  const more = { name: 'more', port: 81, protocol: 'TCP', targetPort: 81 }
  await run(t, ['apply', '-f', '-'], { input: manifest([http, more]) })
  t.deepEqual(
    (await ownersOf(t, 'svc', 'mover')).map(({ manager, operation }) => [manager, operation]),
    [['kubectl-client-side-apply', 'Update']],
  )
  await run(t, APPLY, { input: manifest([{ ...http, targetPort: 8080 }]) })
  const port = '{.spec.ports[*].port} {.spec.ports[*].targetPort}'
  t.is(await run(t, ['get', 'svc', 'mover', '-o', `jsonpath=${port}`]), '80 8080')
  const managers = (await ownersOf(t, 'svc', 'mover')).map(({ manager, operation }) => `${manager} ${operation}`)
  // kubectl keeps the annotation by an applier of its own.
  t.deepEqual(managers.sort(), ['kubectl Apply', 'kubectl-last-applied Apply'])
  // And back: the annotation was kept true, so that what the manifest no longer has goes.
  const alone = { input: manifest([{ ...more, targetPort: 8181 }]) }
  t.is(await run(t, ['apply', '-f', '-'], alone), 'service/mover configured')
  t.is(await run(t, ['apply', '-f', '-'], alone), 'service/mover unchanged')
  t.is(await run(t, ['get', 'svc', 'mover', '-o', `jsonpath=${port}`]), '81 8181')
})

test('status is applied on its own, by its own owner', async t => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'balanced' } }
  await run(t, APPLY, { input: JSON.stringify({ ...service, spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } }) })
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.7', ipMode: 'VIP' }] } }
  const input = JSON.stringify({ ...service, status })
  await run(t, [...APPLY, '--subresource', 'status', '--field-manager', 'cloud'], { input })
  t.is(await run(t, ['get', 'svc', 'balanced', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}']), '192.0.2.7')
  const owners = (await ownersOf(t, 'svc', 'balanced')).map(
    ({ manager, subresource = '' }) => `${manager} ${subresource}`,
  )
  t.deepEqual(owners.sort(), ['cloud status', 'kubectl '])
})

test('what does not fit is refused with the field, a dry run writes nothing, and a diff tells what would change', async t => {
  const wrong = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'wrong' }, dta: {} })
  t.regex((await attempt(APPLY, { input: wrong })).stderr, /\.dta: field not declared in schema/)
  const dry = await run(t, [...APPLY, '--dry-run=server'], { input: settings({ c: '4', e: '6' }) })
  t.is(dry, 'configmap/settings serverside-applied (server dry run)')
  t.is(await run(t, ['get', 'cm', 'settings', '-o', 'jsonpath={.data.e}']), '')
  const diff = await attempt(['diff', '--server-side', '-f', '-'], { input: settings({ c: '4', e: '6' }) })
  t.is(diff.code, 1)
  t.regex(diff.stdout, /^\+ {2}e: "6"$/m)
})

test('owners are forgotten when a client asks for it, and the next apply begins anew', async t => {
  const reset = '{"metadata":{"managedFields":[{}]}}'
  await run(t, ['patch', 'cm', 'settings', '--type', 'merge', '-p', reset])
  t.is(await run(t, ['get', 'cm', 'settings', '-o', 'jsonpath={.metadata.managedFields}', '--show-managed-fields']), '')
  const { stderr } = await attempt(APPLY, { input: settings({ c: 'other' }) })
  t.regex(stderr, /conflict with "before-first-apply" using v1: \.data\.c/)
})
