/** Admission webhooks over TLS: what they are sent, what becomes of their word, and of their silence. */
import test, { type ExecutionContext } from 'ava'
import { patchOf, type Review, startWebhookServer, type WebhookServer } from '../../../support/webhook-server.ts'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const D = `${CORE}/namespaces/default`
const GROUP = '/apis/admissionregistration.k8s.io/v1'

const rule = (resources: readonly string[], operations = ['*'], apiGroups = ['*']) => ({
  operations,
  apiGroups,
  apiVersions: ['*'],
  resources,
})

const webhook = (name: string, clientConfig: object, more: object = {}) => ({
  name,
  clientConfig,
  rules: [rule(['configmaps'])],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
})

const register = (t: ExecutionContext, world: World, type: 'mutating' | 'validating', ...webhooks: object[]) =>
  world.make(t, `${GROUP}/${type}webhookconfigurations`, { metadata: { name: `${type}-test` }, webhooks })

const create = (world: World, path: string, body: object) => world.server.fetch(path, { method: 'POST', body })
const configMap = (name: string, more: object = {}) => ({ metadata: { name, ...more }, data: { a: '1' } })
const warningsOf = (reply: { headers: Record<string, unknown> }): string => String(reply.headers.warning ?? '')

const ALLOW = { allowed: true }

test('a validating webhook hears all about the request, and its word holds', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, ({ name }: Review) =>
    name === 'bad' ? { allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no bad ones' } } : ALLOW,
  )
  await register(t, world, 'validating', webhook('check.example.com', server.config('/check')))
  const made = await create(world, `${D}/configmaps?fieldManager=me`, configMap('good'))
  t.is(made.code, 201, made.text)
  const [seen] = server.requests
  t.like(seen, {
    path: '/check',
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
    name: 'good',
    namespace: 'default',
    operation: 'CREATE',
    dryRun: false,
    oldObject: null,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'me' },
    userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
  })
  t.like(seen.object, { kind: 'ConfigMap', apiVersion: 'v1', data: { a: '1' } })
  t.is(seen.object.metadata.uid, made.json.metadata.uid)
  const refused = await create(world, `${D}/configmaps`, configMap('bad'))
  t.deepEqual(
    [refused.code, refused.json.reason, refused.json.message],
    [403, 'Forbidden', 'admission webhook "check.example.com" denied the request: no bad ones'],
  )
  await world.server.fetch(`${D}/configmaps/good`, { method: 'DELETE' })
  const last = server.requests.at(-1)
  t.deepEqual(
    [last.operation, last.object, last.oldObject.data, last.options.kind],
    ['DELETE', null, { a: '1' }, 'DeleteOptions'],
  )
})

test('a denial without words has some all the same, and is never a success', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, (_, path) =>
    path === '/coy'
      ? { allowed: false }
      : { allowed: false, status: { code: 200, status: 'Success', reason: 'Because' } },
  )
  const only = (name: string) => ({ objectSelector: { matchLabels: { for: name } } })
  await register(
    t,
    world,
    'validating',
    webhook('coy.example.com', server.config('/coy'), only('coy')),
    webhook('odd.example.com', server.config('/odd'), only('odd')),
  )
  const refusal = async (label: string) => {
    const { code, json } = await create(world, `${D}/configmaps`, configMap('x', { labels: { for: label } }))
    return [code, json.message]
  }
  t.deepEqual(await refusal('coy'), [400, 'admission webhook "coy.example.com" denied the request without explanation'])
  t.deepEqual(await refusal('odd'), [400, 'admission webhook "odd.example.com" denied the request: Because'])
  t.is((await create(world, `${D}/configmaps`, configMap('x'))).code, 201)
})

test('mutating webhooks change what is written, one after the other, by the names of their configurations', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, ({ object }: Review, path) =>
    patchOf({ op: 'add', path: '/data/order', value: `${object.data.order ?? ''}${path}` }),
  )
  for (const name of ['b', 'a'])
    await world.make(t, `${GROUP}/mutatingwebhookconfigurations`, {
      metadata: { name },
      webhooks: [
        webhook(`${name}.example.com`, server.config(`/${name}`), { rules: [rule(['configmaps'], ['CREATE'])] }),
      ],
    })
  const { json } = await create(world, `${D}/configmaps`, configMap('x'))
  t.is(json.data.order, '/a/b')
  const updated = await world.server.fetch(`${D}/configmaps/x`, { method: 'PUT', body: { ...json, data: { b: '2' } } })
  t.deepEqual(updated.json.data, { b: '2' })
})

test('plugins and webhooks that want to look again at what a webhook has changed, once', async t => {
  const world = await startWorld(t)
  await world.make(t, `${D}/limitranges`, {
    metadata: { name: 'l' },
    spec: { limits: [{ type: 'Container', default: { cpu: '100m' } }] },
  })
  const server = await startWebhookServer(t, ({ object }: Review, path) => {
    if (path !== '/sidecar' || object.spec.containers.length > 3) return ALLOW
    const name = `side${object.spec.containers.length}`
    return patchOf({ op: 'add', path: '/spec/containers/-', value: { name, image: 's' } })
  })
  const pods = { rules: [rule(['pods'], ['CREATE'])] }
  await register(
    t,
    world,
    'mutating',
    webhook('again.example.com', server.config('/again'), { ...pods, reinvocationPolicy: 'IfNeeded' }),
    webhook('once.example.com', server.config('/once'), pods),
    webhook('sidecar.example.com', server.config('/sidecar'), { ...pods, reinvocationPolicy: 'IfNeeded' }),
  )
  const { json, text } = await create(world, `${D}/pods`, pod('p'))
  t.deepEqual(
    server.requests.map(({ path }) => path),
    // Its own change calls none of them again; what LimitRanger adds to the new container does.
    ['/again', '/once', '/sidecar', '/again', '/sidecar'],
    text,
  )
  t.deepEqual(
    json.spec.containers.map(({ name, resources }: Review) => [name, resources.limits?.cpu]),
    [
      ['c', '100m'],
      ['side1', '100m'],
      ['side2', undefined],
    ],
  )
})

test('a webhook that fails, hangs or is not there refuses or lets through, as it says', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, (_, path) => (path === '/hang' ? 'hang' : 500))
  /** Seconds until silence is no answer, and what is said has time enough. */
  const patience = (path: string): number => (path === '/hang' ? 1 : 30)
  const failing = async (path: string, failurePolicy: string, clientConfig: object = server.config(path)) => {
    const timeoutSeconds = patience(path)
    const { json } = await create(world, `${GROUP}/validatingwebhookconfigurations`, {
      metadata: { name: 'failing' },
      webhooks: [webhook('fail.example.com', clientConfig, { failurePolicy, timeoutSeconds })],
    })
    const reply = await create(world, `${D}/configmaps?dryRun=All`, configMap('x'))
    await world.server.fetch(`${GROUP}/validatingwebhookconfigurations/${json.metadata.name}`, { method: 'DELETE' })
    return [reply.code, reply.json.message]
  }
  const said = (path: string, why: string) =>
    `Internal error occurred: failed calling webhook "fail.example.com": failed to call webhook: Post "https://127.0.0.1:${server.port}${path}?timeout=${patience(path)}s": ${why}`
  t.deepEqual(await failing('/hang', 'Fail'), [500, said('/hang', 'context deadline exceeded')])
  t.deepEqual(await failing('/broken', 'Fail'), [500, said('/broken', 'the server answered 500')])
  t.is((await failing('/hang', 'Ignore'))[0], 201)
  t.is((await failing('/broken', 'Ignore'))[0], 201)
  const stranger = { ...server.config('/'), caBundle: Buffer.from(world.server.tls.ca).toString('base64') }
  const [code, message] = await failing('/', 'Fail', stranger)
  t.is(code, 500)
  t.regex(message, /certificate/)
  const metrics = (await world.server.fetch('/metrics')).text
  t.regex(
    metrics,
    /apiserver_admission_webhook_rejection_count\{name="fail\.example\.com",type="validating",operation="CREATE",error_type="calling_webhook_error",rejection_code="503"\} 3/,
  )
  t.regex(metrics, /apiserver_admission_webhook_fail_open_count\{name="fail\.example\.com",type="validating"\} 2/)
})

test('answers that are none', async t => {
  const world = await startWorld(t)
  const wrong: Record<string, Record<string, unknown>> = {
    uid: { uid: 'other', allowed: true },
    patch: patchOf({ op: 'add', path: '/data/a', value: '1' }),
  }
  const server = await startWebhookServer(t, ({ name }: Review) => wrong[name] ?? ALLOW)
  await register(t, world, 'validating', webhook('odd.example.com', server.config()))
  const refusal = async (name: string) => (await create(world, `${D}/configmaps`, configMap(name))).json.message
  t.regex(await refusal('uid'), /received invalid webhook response: expected response\.uid=".*", got "other"$/)
  t.regex(await refusal('patch'), /validating webhook may not return response\.patch$/)
})

test('a patch that does not fit, or makes another object of it, is refused', async t => {
  const world = await startWorld(t)
  const patches: Record<string, object> = {
    missing: { op: 'remove', path: '/data/nope/nope' },
    type: { op: 'replace', path: '/data', value: 7 },
    kind: { op: 'replace', path: '/kind', value: 'Secret' },
    proto: { op: 'add', path: '/__proto__/polluted', value: true },
  }
  const server = await startWebhookServer(t, ({ name }: Review) => patchOf(patches[name]!))
  await register(t, world, 'mutating', webhook('odd.example.com', server.config()))
  for (const name of Object.keys(patches)) {
    const { code, text } = await create(world, `${D}/configmaps`, configMap(name))
    t.is(code, 500, `${name}: ${text}`)
  }
  t.is(({} as Record<string, unknown>).polluted, undefined)
})

test('dry runs go to webhooks without side effects alone; warnings reach the client', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, () => ({ allowed: true, warnings: ['mind the gap'] }))
  await register(t, world, 'validating', webhook('pure.example.com', server.config()))
  const reply = await create(world, `${D}/configmaps?dryRun=All`, configMap('x'))
  t.deepEqual([reply.code, server.requests[0].dryRun, server.requests[0].options.dryRun], [201, true, ['All']])
  t.regex(warningsOf(reply), /mind the gap/)
  const path = `${GROUP}/validatingwebhookconfigurations`
  const invalid = await create(world, path, {
    metadata: { name: 'impure' },
    webhooks: [webhook('some.example.com', server.config(), { sideEffects: 'Some' })],
  })
  t.regex(invalid.json.message, /sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"/)
})

test('rules choose by scope, resource, subresource and operation; selectors by labels', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, () => ALLOW)
  await world.make(t, `${CORE}/namespaces`, { metadata: { name: 'watched', labels: { watch: 'yes' } } })
  await register(
    t,
    world,
    'validating',
    webhook('cluster.example.com', server.config('/cluster'), {
      rules: [{ ...rule(['*'], ['CREATE']), scope: 'Cluster' }],
    }),
    webhook('status.example.com', server.config('/status'), { rules: [rule(['*/status'], ['UPDATE'])] }),
    webhook('scale.example.com', server.config('/scale'), { rules: [rule(['deployments/scale'])] }),
    webhook('space.example.com', server.config('/space'), { namespaceSelector: { matchLabels: { watch: 'yes' } } }),
    webhook('token.example.com', server.config('/token'), { rules: [rule(['serviceaccounts/token'])] }),
  )
  const asked = async (act: () => Promise<unknown>): Promise<string[]> => {
    const before = server.requests.length
    await act()
    return server.requests.slice(before).map(({ path }) => path)
  }
  t.deepEqual(await asked(() => create(world, `${CORE}/nodes`, { metadata: { name: 'n' } })), ['/cluster'])
  t.deepEqual(await asked(() => create(world, `${CORE}/namespaces`, { metadata: { name: 'other' } })), ['/cluster'])
  t.deepEqual(await asked(() => create(world, `${D}/configmaps`, configMap('x'))), [])
  t.deepEqual(await asked(() => create(world, `${CORE}/namespaces/watched/configmaps`, configMap('x'))), ['/space'])
  const merge = { 'content-type': 'application/merge-patch+json' }
  const patch = (path: string, body: object) => world.server.fetch(path, { method: 'PATCH', body, headers: merge })
  await world.make(t, `${D}/pods`, pod('p'))
  t.deepEqual(await asked(() => patch(`${D}/pods/p/status`, { status: { phase: 'Running' } })), ['/status'])
  const labels = { app: 'x' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await world.make(t, '/apis/apps/v1/namespaces/default/deployments', {
    metadata: { name: 'd' },
    spec: { selector: { matchLabels: labels }, template },
  })
  const scale = '/apis/apps/v1/namespaces/default/deployments/d/scale'
  t.deepEqual(await asked(() => patch(scale, { spec: { replicas: 3 } })), ['/scale'])
  t.like(server.requests.at(-1), {
    kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    subResource: 'scale',
  })
  t.is(server.requests.at(-1).object.spec.replicas, 3)
  await world.make(t, `${D}/serviceaccounts`, { metadata: { name: 'bot' } })
  t.deepEqual(await asked(() => create(world, `${D}/serviceaccounts/bot/token`, { spec: {} })), ['/token'])
  t.is(server.requests.at(-1).kind.kind, 'TokenRequest')
})

test('a webhook of another version of the same objects is asked, in its version', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, (_, path) =>
    path === '/newer' ? patchOf({ op: 'replace', path: '/note', value: 'rewritten' }) : ALLOW,
  )
  const newer = { rules: [{ ...rule(['events'], ['CREATE'], ['events.k8s.io']), apiVersions: ['v1'] }] }
  await register(
    t,
    world,
    'mutating',
    webhook('exact.example.com', server.config('/exact'), { ...newer, matchPolicy: 'Exact' }),
    webhook('newer.example.com', server.config('/newer'), newer),
  )
  const { code, json, text } = await create(world, `${D}/events`, {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    reason: 'R',
    message: 'written',
    type: 'Normal',
  })
  t.is(code, 201, text)
  t.is(json.message, 'rewritten')
  t.deepEqual(
    server.requests.map(({ path, kind, requestKind }) => [path, kind.group, requestKind.group]),
    [['/newer', 'events.k8s.io', '']],
  )
})

test('a Service is reached under its own name', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, () => ({ allowed: false, status: { message: 'heard' } }), [
    'hook.default.svc',
  ])
  await world.make(t, `${D}/services`, {
    metadata: { name: 'hook' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  const service = { namespace: 'default', name: 'hook', path: '/in', port: server.port }
  await register(t, world, 'validating', webhook('in.example.com', { service, caBundle: server.caBundle }))
  const { json } = await create(world, `${D}/configmaps`, configMap('x'))
  t.is(json.message, 'admission webhook "in.example.com" denied the request: heard')
  t.is(server.requests[0].path, '/in')
  const elsewhere = { service: { ...service, name: 'nope' }, caBundle: server.caBundle }
  await world.make(t, `${GROUP}/mutatingwebhookconfigurations`, {
    metadata: { name: 'lost' },
    webhooks: [webhook('lost.example.com', elsewhere)],
  })
  const lost = await create(world, `${D}/configmaps`, configMap('y'))
  t.regex(lost.json.message, /Post "https:\/\/nope\.default\.svc:\d+\/in\?timeout=10s": service "nope" not found$/)
})

test('nobody is locked out: configurations of webhooks go to no webhook', async t => {
  const world = await startWorld(t)
  const server: WebhookServer = await startWebhookServer(t, () => ({ allowed: false }))
  const everything = { rules: [rule(['*/*'])] }
  await register(t, world, 'validating', webhook('no.example.com', server.config(), everything))
  await register(t, world, 'mutating', webhook('never.example.com', server.config(), everything))
  t.is((await create(world, `${D}/configmaps`, configMap('x'))).code, 400)
  const path = `${GROUP}/validatingwebhookconfigurations/validating-test`
  const { json } = await world.server.fetch(path)
  t.is((await world.server.fetch(path, { method: 'PUT', body: { ...json, webhooks: [] } })).code, 200)
  t.is((await world.server.fetch(path, { method: 'DELETE' })).code, 200)
})

test('what the server says itself no webhook says: uid, owners, status of what is written otherwise', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, ({ subResource }: Review) =>
    subResource === 'status'
      ? patchOf({ op: 'replace', path: '/spec/containers/0/image', value: 'other' })
      : patchOf(
          { op: 'add', path: '/status', value: { phase: 'Running' } },
          { op: 'add', path: '/metadata/managedFields', value: [] },
        ),
  )
  await register(
    t,
    world,
    'mutating',
    webhook('sly.example.com', server.config(), { rules: [rule(['pods', 'pods/status'])] }),
  )
  const made = await create(world, `${D}/pods?fieldManager=me`, pod('p'))
  t.deepEqual([made.json.status.phase, made.json.metadata.managedFields[0].manager], ['Pending', 'me'])
  const told = await world.server.fetch(`${D}/pods/p/status`, {
    method: 'PATCH',
    body: { status: { phase: 'Running' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  t.deepEqual([told.json.status.phase, told.json.spec.containers[0].image], ['Running', 'i'])
})
