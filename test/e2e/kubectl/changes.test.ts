/** What people do with kubectl, second part: make and change single things, and watch them change. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'
import { SHOP_MANIFEST } from '../../support/shop-manifest.ts'

const test = anyTest.serial as TestFn
const { attempt, home, run } = kubectlCluster(test)

test.before(async t => {
  await run(t, ['apply', '-f', '-'], { input: SHOP_MANIFEST })
})

test('label, annotate, three kinds of patch, replace', async t => {
  const at = ['-n', 'shop', 'svc', 'web-1']
  const value = (path: string) => run(t, ['get', ...at, '-o', `jsonpath={${path}}`])
  t.is(await run(t, ['label', ...at, 'tier=front']), 'service/web-1 labeled')
  t.regex(
    (await attempt(['label', ...at, 'tier=back'])).stderr,
    /already has a value \(front\), and --overwrite is false/,
  )
  await run(t, ['label', ...at, 'tier=back', '--overwrite'])
  t.is(await value('.metadata.labels.tier'), 'back')
  t.is(await run(t, ['label', ...at, 'tier-']), 'service/web-1 unlabeled')
  t.is(await run(t, ['annotate', ...at, 'note=read me']), 'service/web-1 annotated')
  t.is(await value('.metadata.annotations.note'), 'read me')

  const patch = (type: string, body: unknown) => run(t, ['patch', ...at, '--type', type, '-p', JSON.stringify(body)])
  // Strategic: ports are merged by their number.
  t.is(await patch('strategic', { spec: { ports: [{ port: 80, targetPort: 8111 }] } }), 'service/web-1 patched')
  t.is(await value('.spec.ports[*].targetPort'), '8111 metrics')
  await patch('strategic', { spec: { ports: [{ port: 9090, $patch: 'delete' }] } })
  t.is(await value('.spec.ports[*].port'), '80')
  await patch('merge', { spec: { selector: null, ports: [{ name: 'only', port: 81 }] } })
  t.is(await value('.spec.ports[*].name'), 'only')
  t.is(await value('.spec.selector'), '')
  await patch('json', [
    { op: 'test', path: '/spec/ports/0/port', value: 81 },
    { op: 'add', path: '/spec/selector', value: { app: 'x' } },
  ])
  t.is(await value('.spec.selector.app'), 'x')
  t.is(await patch('merge', { spec: { selector: { app: 'x' } } }), 'service/web-1 patched (no change)')
  t.regex(
    (await attempt(['patch', ...at, '--type', 'json', '-p', '[{"op":"test","path":"/spec/type","value":"x"}]'])).stderr,
    /Invalid|Unprocessable/i,
  )

  const whole = JSON.parse(await run(t, ['get', ...at, '-o', 'json'])) as { metadata: { labels: object } }
  whole.metadata.labels = { replaced: 'yes' }
  t.is(await run(t, ['replace', '-f', '-'], { input: JSON.stringify(whole) }), 'service/web-1 replaced')
  t.deepEqual(JSON.parse(await value('.metadata.labels')), { replaced: 'yes' })
  t.regex(
    (await attempt(['replace', '-f', '-'], { input: JSON.stringify(whole) })).stderr,
    /Conflict|the object has been modified/,
  )
})

test('edit writes what the editor leaves', async t => {
  const editor = join(home, 'editor')
  writeFileSync(editor, '#!/bin/sh\nsed -i "s/sessionAffinity: None/sessionAffinity: ClientIP/" "$1"\n')
  chmodSync(editor, 0o755)
  const edit = () => run(t, ['edit', 'svc', 'web-2', '-n', 'shop'], { environment: { KUBE_EDITOR: editor } })
  t.is(await edit(), 'service/web-2 edited')
  t.is(await run(t, ['get', 'svc', 'web-2', '-n', 'shop', '-o', 'jsonpath={.spec.sessionAffinity}']), 'ClientIP')
  const { stdout, stderr } = await attempt(['edit', 'svc', 'web-2', '-n', 'shop'], {
    environment: { KUBE_EDITOR: editor },
  })
  t.regex(stdout + stderr, /no changes made/)
})

test('create: generators, twice, from a file with a mistake', async t => {
  const say = async (...args: string[]) => run(t, ['create', ...args])
  t.is(await say('namespace', 'made'), 'namespace/made created')
  const inside = (...args: string[]) => say(...args, '-n', 'made')
  t.is(await inside('configmap', 'settings', '--from-literal', 'a=1'), 'configmap/settings created')
  t.is(await inside('secret', 'generic', 'keys', '--from-literal', 'k=v'), 'secret/keys created')
  t.is(await inside('serviceaccount', 'robot'), 'serviceaccount/robot created')
  t.is(await inside('service', 'clusterip', 'one', '--tcp', '80:8080'), 'service/one created')
  t.is(await inside('service', 'nodeport', 'two', '--tcp', '80', '--node-port', '30123'), 'service/two created')
  t.is(await inside('service', 'externalname', 'three', '--external-name', 'example.org'), 'service/three created')
  t.is(await inside('service', 'loadbalancer', 'four', '--tcp', '80'), 'service/four created')
  t.is(await inside('service', 'clusterip', 'five', '--clusterip', 'None'), 'service/five created')
  t.is(await run(t, ['get', 'secret', 'keys', '-n', 'made', '-o', 'jsonpath={.data.k}']), 'dg==')
  const twice = await attempt(['create', 'configmap', 'settings', '-n', 'made'])
  t.deepEqual(
    [twice.code, twice.stderr.trim()],
    [1, 'error: failed to create configmap: configmaps "settings" already exists'],
  )
  const odd = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'odd', namespace: 'made' },
    spec: { ports: [{ port: 99_999, targetPort: 80 }] },
  }
  const wrong = await attempt(['create', '-f', '-'], { input: JSON.stringify(odd) })
  t.regex(
    wrong.stderr,
    /^The Service "odd" is invalid: spec\.ports\[0\]\.port: Invalid value: 99999: must be between 1 and 65535, inclusive/,
  )
  const unknown = await attempt(['create', '-f', '-'], {
    input: JSON.stringify({ ...odd, spec: { ports: [{ port: 1 }], clusterip: 'None' } }),
  })
  t.regex(unknown.stderr, /strict decoding error: unknown field "spec\.clusterip"/)
  const taken = await attempt([
    'create',
    'service',
    'nodeport',
    'six',
    '--tcp',
    '80',
    '--node-port',
    '30123',
    '-n',
    'made',
  ])
  t.regex(taken.stderr, /provided port is already allocated/)
})

test('get -w and wait see changes as they come', async t => {
  const abort = new AbortController()
  let seen = ''
  const appeared = Promise.withResolvers<void>()
  const watching = attempt(['get', 'svc', '-n', 'edge', '-w', '-o', 'name'], {
    signal: abort.signal,
    output: text => {
      seen += text
      if (seen.includes('service/fixed')) appeared.resolve()
      if (seen.includes('service/latest')) abort.abort()
    },
  })
  await Promise.race([appeared.promise, watching])
  const condition = run(t, ['wait', '--for=create', 'svc/latest', '-n', 'edge', '--timeout=60s'])
  await run(t, ['create', 'service', 'clusterip', 'latest', '--tcp', '80', '-n', 'edge'])
  t.is(await condition, 'service/latest condition met')
  await watching
  t.regex(seen, /service\/latest/)
  const path = '--for=jsonpath={.spec.sessionAffinity}=ClientIP'
  const patched = run(t, ['wait', path, 'svc/latest', '-n', 'edge', '--timeout=60s'])
  await run(t, ['patch', 'svc', 'latest', '-n', 'edge', '-p', '{"spec":{"sessionAffinity":"ClientIP"}}'])
  t.is(await patched, 'service/latest condition met')
  const gone = run(t, ['wait', '--for=delete', 'svc/latest', '-n', 'edge', '--timeout=60s'])
  t.is(await run(t, ['delete', 'svc', 'latest', '-n', 'edge']), 'service "latest" deleted from edge namespace')
  await gone
})

test('events are listed by kubectl events, and told by describe', async t => {
  const uid = await run(t, ['get', 'svc', 'front', '-n', 'edge', '-o', 'jsonpath={.metadata.uid}'])
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'front.1', namespace: 'edge' },
    involvedObject: { kind: 'Service', namespace: 'edge', name: 'front', apiVersion: 'v1', uid },
    reason: 'Tested',
    message: 'it was tested',
    type: 'Normal',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
    source: { component: 'test' },
  }
  await run(t, ['create', '-f', '-'], { input: JSON.stringify(event) })
  t.regex(await run(t, ['events', '-n', 'edge']), /Normal +Tested +Service\/front +it was tested/)
  t.regex(await run(t, ['get', 'events', '-n', 'edge']), /Normal +Tested +service\/front +it was tested/)
  t.regex(await run(t, ['describe', 'svc', 'front', '-n', 'edge']), /Normal +Tested +.*it was tested/)
})
