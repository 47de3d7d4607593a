/** What people do with kubectl to kinds of their own: define, wait, apply, explain, look, patch, scale, delete. */
import anyTest, { type TestFn } from 'ava'
import { backend, backends, converted } from '../../support/conversion.ts'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'
import { startWebhookServer } from '../../support/webhook-server.ts'

const test = anyTest.serial as TestFn
const { attempt, run } = kubectlCluster(test)

const DEFINITION = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: crontabs.stable.example.com }
spec:
  group: stable.example.com
  scope: Namespaced
  names: { plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all] }
  versions:
    - name: v1
      served: true
      storage: true
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas }
      additionalPrinterColumns:
        - { name: Spec, type: string, jsonPath: .spec.cronSpec, description: When it runs. }
        - { name: Replicas, type: integer, jsonPath: .spec.replicas }
        - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
      selectableFields: [{ jsonPath: .spec.image }]
      schema:
        openAPIV3Schema:
          description: A job that runs by the clock.
          type: object
          properties:
            spec:
              type: object
              required: [cronSpec]
              properties:
                cronSpec: { type: string, pattern: '^(\\S+ ){4}\\S+$', description: Five fields of cron. }
                image: { type: string, maxLength: 20 }
                replicas: { type: integer, minimum: 1, maximum: 10, default: 1 }
              x-kubernetes-validations:
                - { rule: "!has(oldSelf.image) || (has(self.image) && self.image == oldSelf.image)", message: image is set once }
            status:
              type: object
              properties: { replicas: { type: integer } }
`

const crontab = (name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, spec })

const CRON = '* * * * */5'

const columns = (line = ''): string[] => line.trim().split(/\s{2,}/)

test('a definition is made, waited for and listed', async t => {
  const made = await run(t, ['create', '-f', '-'], { input: DEFINITION })
  t.is(made, 'customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com created')
  const waited = await run(t, [
    'wait',
    '--for=condition=Established',
    'crd/crontabs.stable.example.com',
    '--timeout=60s',
  ])
  t.is(waited, 'customresourcedefinition.apiextensions.k8s.io/crontabs.stable.example.com condition met')
  const [head, row] = (await run(t, ['get', 'crd'])).split('\n')
  t.deepEqual(columns(head), ['NAME', 'CREATED AT'])
  t.regex(row ?? '', /^crontabs\.stable\.example\.com +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const resources = await run(t, ['api-resources', '--api-group=stable.example.com', '--no-headers'])
  t.deepEqual(columns(resources), ['crontabs', 'ct', 'stable.example.com/v1', 'true', 'CronTab'])
})

test('explain tells of its fields', async t => {
  t.regex(
    await run(t, ['explain', 'crontabs']),
    /GROUP: +stable\.example\.com\nKIND: +CronTab\nVERSION: +v1\n\nDESCRIPTION:\n +A job that runs by the clock\./,
  )
  const all = await run(t, ['explain', 'crontabs', '--recursive'])
  t.regex(all, / {2}spec\t<Object>\n {4}cronSpec\t<string> -required-\n {4}image\t<string>\n {4}replicas\t<integer>/)
  t.regex(
    await run(t, ['explain', 'ct.spec.cronSpec']),
    /FIELD: cronSpec <string>\n\n\nDESCRIPTION:\n +Five fields of cron\./,
  )
})

test('objects are applied, refused, looked at and selected', async t => {
  t.is(
    await run(t, ['apply', '-f', '-'], { input: crontab('a', { cronSpec: CRON, image: 'one' }) }),
    'crontab.stable.example.com/a created',
  )
  t.is(
    await run(t, ['apply', '-f', '-'], { input: crontab('a', { cronSpec: CRON, image: 'one' }) }),
    'crontab.stable.example.com/a unchanged',
  )
  const unknown = await attempt(['apply', '-f', '-'], { input: crontab('b', { cronSpec: CRON, foo: 1 }) })
  t.regex(unknown.stderr, /strict decoding error: unknown field "spec\.foo"/)
  const wrong = await attempt(['apply', '-f', '-'], { input: crontab('b', { cronSpec: 'x', replicas: 20 }) })
  t.regex(wrong.stderr, /The CronTab "b" is invalid:/)
  t.regex(
    wrong.stderr,
    /\* spec\.replicas: Invalid value: 20: spec\.replicas in body should be less than or equal to 10/,
  )
  const again = await attempt(['apply', '-f', '-'], { input: crontab('a', { cronSpec: CRON, image: 'two' }) })
  t.is(again.stderr.trim(), 'The CronTab "a" is invalid: spec: Invalid value: image is set once')
  await run(t, ['apply', '-f', '-'], { input: crontab('other', { cronSpec: CRON, image: 'else' }) })
  const [head, row] = (await run(t, ['get', 'ct', '--field-selector', 'spec.image=one'])).split('\n')
  t.deepEqual(columns(head), ['NAME', 'SPEC', 'REPLICAS', 'AGE'])
  t.deepEqual(columns(row).slice(0, 3), ['a', CRON, '1'])
  t.regex(await run(t, ['get', 'all']), /crontab\.stable\.example\.com\/other/)
  t.regex(await run(t, ['describe', 'ct', 'a']), /Kind: +CronTab[\s\S]*Cron Spec: +\* \* \* \* \*\/5/)
})

test('objects are applied by the server, patched, scaled and given a status', async t => {
  const input = crontab('s', { cronSpec: CRON })
  t.is(
    await run(t, ['apply', '--server-side', '-f', '-'], { input }),
    'crontab.stable.example.com/s serverside-applied',
  )
  const conflict = await attempt(['apply', '--server-side', '--field-manager=other', '-f', '-'], {
    input: crontab('s', { cronSpec: '1 * * * *' }),
  })
  t.regex(conflict.stderr, /conflict with "kubectl": \.spec\.cronSpec/)
  await run(t, ['patch', 'ct', 's', '--type=merge', '-p', '{"spec":{"image":"i"}}'])
  const strategic = await attempt(['patch', 'ct', 's', '-p', '{"spec":{"image":"i"}}'])
  t.regex(strategic.stderr, /application\/strategic-merge-patch\+json|UnsupportedMediaType|unknown format/)
  t.is(await run(t, ['scale', 'ct', 's', '--replicas=3']), 'crontab.stable.example.com/s scaled')
  await run(t, ['patch', 'ct', 's', '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":2}}'])
  const told = [
    'get',
    'ct',
    's',
    '-o',
    'jsonpath={.spec.image} {.spec.replicas} {.status.replicas} {.metadata.generation}',
  ]
  t.is(await run(t, told), 'i 3 2 3')
})

test('a changed definition is served as it is now; a deleted one is not served any more', async t => {
  const changed = DEFINITION.replace('maxLength: 20', 'maxLength: 20, default: none')
  t.regex(await run(t, ['replace', '-f', '-'], { input: await withVersion(t, changed) }), /replaced/)
  await run(t, ['apply', '-f', '-'], { input: crontab('d', { cronSpec: CRON }) })
  t.is(await run(t, ['get', 'ct', 'd', '-o', 'jsonpath={.spec.image}']), 'none')
  t.regex(await run(t, ['delete', 'crd', 'crontabs.stable.example.com']), /deleted/)
  t.regex(
    (await attempt(['get', 'crontabs.stable.example.com'])).stderr,
    /the server (doesn't have a resource type|could not find the requested resource)/,
  )
})

/** A definition is not replaced without the version that is replaced. */
const withVersion = async (t: Parameters<typeof run>[0], text: string): Promise<string> => {
  const version = await run(t, [
    'get',
    'crd',
    'crontabs.stable.example.com',
    '-o',
    'jsonpath={.metadata.resourceVersion}',
  ])
  return text.replace(
    'name: crontabs.stable.example.com',
    `name: crontabs.stable.example.com, resourceVersion: "${version}"`,
  )
}

test('a kind whose versions a webhook converts is read and written in each', async t => {
  const webhook = await startWebhookServer(t, converted)
  await run(t, ['create', '-f', '-'], { input: JSON.stringify(backends(webhook.config())) })
  await run(t, ['wait', '--for=condition=Established', 'crd/backends.stable.example.com', '--timeout=60s'])
  const apply = (version: string, spec: object) =>
    run(t, ['apply', '-f', '-'], { input: JSON.stringify(backend(version, 'b', spec)) })
  t.is(await apply('v1', { hostPort: 'h:80' }), 'backend.stable.example.com/b created')
  t.is(await apply('v2', { host: 'h', port: 81 }), 'backend.stable.example.com/b configured')
  const rows = async (resource: string) => (await run(t, ['get', resource])).split('\n').map(columns)
  t.deepEqual(await rows('backends.v1.stable.example.com'), [
    ['NAME', 'HOSTPORT'],
    ['b', 'h:81'],
  ])
  t.deepEqual(await rows('backends.v2.stable.example.com'), [
    ['NAME', 'HOST', 'PORT'],
    ['b', 'h', '81'],
  ])
  await run(t, ['patch', 'backends.v2.stable.example.com', 'b', '--type=merge', '-p', '{"spec":{"port":82}}'])
  t.is(await run(t, ['get', 'backends.v1.stable.example.com', 'b', '-o', 'jsonpath={.spec.hostPort}']), 'h:82')
  t.is(
    await run(t, ['delete', 'backends.v1.stable.example.com', 'b']),
    'backend.stable.example.com "b" deleted from default namespace',
  )
})
