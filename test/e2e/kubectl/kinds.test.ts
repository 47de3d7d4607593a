/** kubectl on ingresses, storage, autoscalers, nodes that are drained, and APIs: what it says and shows. */
import anyTest, { type TestFn } from 'ava'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'

const test = anyTest.serial as TestFn
const { attempt, run } = kubectlCluster(test)

/** The columns, which two blanks or more part. */
const rows = (text: string): string[][] => text.split('\n').map(line => line.trim().split(/\s{2,}/))
const AGE = /^\d+s$/

/** With the age masked. */
const shown = (text: string): string[][] => rows(text).map(row => row.map(cell => (AGE.test(cell) ? 'age' : cell)))

test('an ingress is created by rules, shown and described', async t => {
  const rule = ['--rule=shop.example.com/*=web:80', '--rule=shop.example.com/pay=pay:http,tls=keys']
  t.is(
    await run(t, ['create', 'ingress', 'outer', '--class=nginx', ...rule]),
    'ingress.networking.k8s.io/outer created',
  )
  t.deepEqual(shown(await run(t, ['get', 'ing', '-o', 'wide'])), [
    ['NAME', 'CLASS', 'HOSTS', 'ADDRESS', 'PORTS', 'AGE'],
    ['outer', 'nginx', 'shop.example.com', '80, 443', 'age'],
  ])
  t.regex(
    await run(t, ['describe', 'ingress', 'outer']),
    /Ingress Class:\s+nginx\n.*keys terminates shop\.example\.com/s,
  )
  const refused = await attempt(['create', 'ingress', 'bad', '--rule=shop_example/*=web:80'])
  t.is(refused.code, 1)
  t.regex(
    refused.stderr,
    /Ingress.networking.k8s.io "bad" is invalid: spec\.rules\[0\]\.host: Invalid value: "shop_example": a lowercase RFC 1123 subdomain/,
  )
})

const VOLUME = `
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec:
  capacity: {storage: 10Gi}
  accessModes: [ReadWriteOnce, ReadOnlyMany]
  storageClassName: fast
  hostPath: {path: /data}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  volumeName: disk
  resources: {requests: {storage: 5Gi}}
`

test('volumes and claims are applied, shown and described', async t => {
  t.is(
    await run(t, ['apply', '-f', '-'], { input: VOLUME }),
    'persistentvolume/disk created\npersistentvolumeclaim/data created',
  )
  t.deepEqual(shown(await run(t, ['get', 'pv', '-o', 'wide'])), [
    [
      'NAME',
      'CAPACITY',
      'ACCESS MODES',
      'RECLAIM POLICY',
      'STATUS',
      'CLAIM',
      'STORAGECLASS',
      'VOLUMEATTRIBUTESCLASS',
      'REASON',
      'AGE',
      'VOLUMEMODE',
    ],
    ['disk', '10Gi', 'RWO,ROX', 'Retain', 'Pending', 'fast', '<unset>', 'age', 'Filesystem'],
  ])
  const status = '{"status":{"phase":"Bound","capacity":{"storage":"10Gi"},"accessModes":["ReadWriteOnce"]}}'
  await run(t, ['patch', 'pvc', 'data', '--subresource=status', '--type=merge', '-p', status])
  t.deepEqual(shown(await run(t, ['get', 'pvc', '-o', 'wide'])), [
    [
      'NAME',
      'STATUS',
      'VOLUME',
      'CAPACITY',
      'ACCESS MODES',
      'STORAGECLASS',
      'VOLUMEATTRIBUTESCLASS',
      'AGE',
      'VOLUMEMODE',
    ],
    ['data', 'Bound', 'disk', '10Gi', 'RWO', 'fast', '<unset>', 'age', 'Filesystem'],
  ])
  t.regex(await run(t, ['describe', 'pvc', 'data']), /Capacity:\s+10Gi\nAccess Modes:\s+RWO\nVolumeMode:\s+Filesystem/)
  t.is(
    await run(t, ['apply', '-f', '-'], { input: VOLUME }),
    'persistentvolume/disk unchanged\npersistentvolumeclaim/data unchanged',
  )
})

test('autoscale makes an autoscaler, which both versions show', async t => {
  await run(t, ['create', 'deployment', 'web', '--image=web:1'])
  t.is(
    await run(t, ['autoscale', 'deployment', 'web', '--min=2', '--max=5', '--cpu=70%']),
    'horizontalpodautoscaler.autoscaling/web autoscaled',
  )
  t.deepEqual(shown(await run(t, ['get', 'hpa', '-o', 'wide'])), [
    ['NAME', 'REFERENCE', 'TARGETS', 'MINPODS', 'MAXPODS', 'REPLICAS', 'AGE'],
    ['web', 'Deployment/web', 'cpu: <unknown>/70%', '2', '5', '0', 'age'],
  ])
  const share = '-o=jsonpath={.spec.targetCPUUtilizationPercentage}'
  t.is(await run(t, ['get', 'horizontalpodautoscalers.v1.autoscaling', 'web', share]), '70')
  t.regex(
    await run(t, ['describe', 'hpa', 'web']),
    /resource cpu on pods\s+\(as a percentage of request\):\s+<unknown> \/ 70%/,
  )
  t.regex(await run(t, ['explain', 'hpa.spec.metrics.resource.target']), /averageUtilization/)
})

test('a node is drained as far as the budget of its pods allows', async t => {
  const node = '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}'
  await run(t, ['apply', '-f', '-'], { input: node })
  const overrides = '--overrides={"spec":{"nodeName":"n1","terminationGracePeriodSeconds":0}}'
  for (const name of ['one', 'two']) await run(t, ['run', name, '--image=i', '--labels=app=kept', overrides])
  const running = '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}'
  for (const name of ['one', 'two'])
    await run(t, ['patch', 'pod', name, '--subresource=status', '--type=merge', '-p', running])
  await run(t, ['create', 'pdb', 'kept', '--selector=app=kept', '--min-available=1'])
  const budget = '{"status":{"observedGeneration":1,"disruptionsAllowed":1,"currentHealthy":2,"desiredHealthy":1}}'
  await run(t, ['patch', 'pdb', 'kept', '--subresource=status', '--type=merge', '-p', budget])
  const refused = /Cannot evict pod as it would violate the pod's disruption budget\./
  const drain = (seconds: number) => attempt(['drain', 'n1', '--force', `--timeout=${seconds}s`])
  let drained = await drain(2)
  t.regex(drained.stdout, /^node\/n1 cordoned$/m)
  // It tells of a refusal that comes before its time is over.
  for (let seconds = 4; !refused.test(drained.stderr) && seconds < 80; seconds *= 2) drained = await drain(seconds)
  t.is(drained.code, 1)
  t.regex(drained.stderr, refused)
  t.is((await run(t, ['get', 'pods', '-l', 'app=kept', '-o', 'name'])).split('\n').length, 1, 'one of two has gone')
})

test('all APIs are registered, and all resources found', async t => {
  const services = rows(await run(t, ['get', 'apiservices', '--no-headers'])).map(row => row.slice(0, 3))
  t.deepEqual(
    services.find(([name]) => name === 'v1.'),
    ['v1.', 'Local', 'True'],
  )
  t.deepEqual(
    services.find(([name]) => name === 'v2.autoscaling'),
    ['v2.autoscaling', 'Local', 'True'],
  )
  const names = (await run(t, ['api-resources', '-o', 'name'])).split('\n')
  for (const name of [
    'bindings',
    'persistentvolumeclaims',
    'persistentvolumes',
    'podtemplates',
    'apiservices.apiregistration.k8s.io',
    'horizontalpodautoscalers.autoscaling',
    'certificatesigningrequests.certificates.k8s.io',
    'ingresses.networking.k8s.io',
    'csidrivers.storage.k8s.io',
    'csinodes.storage.k8s.io',
    'csistoragecapacities.storage.k8s.io',
    'volumeattachments.storage.k8s.io',
    'volumeattributesclasses.storage.k8s.io',
  ])
    t.true(names.includes(name), name)
})
