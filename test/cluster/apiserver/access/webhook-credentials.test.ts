/** kubeConfigFile of the webhook plugins: who the apiserver is to which webhook, and to nobody else. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import { HostCredentials } from '#cluster/apiserver/webhook/host-credentials.ts'
import { makeAuthority } from '../../../support/certificates.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { startWebhookServer } from '../../../support/webhook-server.ts'
import { startWorld, type World } from './world.ts'

const CONFIG = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration' }
const HOOKS = '/apis/admissionregistration.k8s.io/v1'
const MAPS = '/api/v1/namespaces/default/configmaps'

type Users = Readonly<Record<string, object>>

const kubeconfig = (folder: string, users: Users, more: object = {}, name = 'webhooks.kubeconfig'): string => {
  const path = join(folder, name)
  const list = Object.entries(users).map(([name, user]) => ({ name, user }))
  writeFileSync(path, stringify({ apiVersion: 'v1', kind: 'Config', users: list, ...more }))
  return path
}

const admissionFile = (folder: string, files: Readonly<Record<string, string>>): string => {
  const path = join(folder, 'admission.yaml')
  const plugins = Object.entries(files).map(([name, kubeConfigFile]) => ({
    name,
    configuration: { ...CONFIG, kubeConfigFile },
  }))
  writeFileSync(path, stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins }))
  return path
}

const RULES = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }]

const hook = (name: string, clientConfig: object) => ({
  name: `${name}.example.com`,
  clientConfig,
  rules: RULES,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
})

const register = async (t: ExecutionContext, world: World, kind: 'validating' | 'mutating', webhook: object) => {
  await world.make(t, `${HOOKS}/${kind}webhookconfigurations`, { metadata: { name: kind }, webhooks: [webhook] })
}

const create = ({ server }: World, name: string) => server.fetch(MAPS, { method: 'POST', body: { metadata: { name } } })

test('each plugin shows what its file has for the host, by token, certificate or password', async t => {
  const folder = temporaryFolder(t)
  const [validating, mutating] = await Promise.all([
    startWebhookServer(t, () => ({ allowed: true })),
    startWebhookServer(t, () => ({ allowed: true }), ['hook.default.svc']),
  ])
  const authority = await makeAuthority()
  const { cert, key } = await authority.client()
  writeFileSync(join(folder, 'client.key'), key)
  writeFileSync(join(folder, 'token'), 'first\n')
  const users = { [`127.0.0.1:${validating.port}`]: { tokenFile: 'token' }, '*': { token: 'for-all' } }
  const certificate = { 'client-certificate-data': Buffer.from(cert).toString('base64'), 'client-key': 'client.key' }
  const services = { [`*.default.svc:${mutating.port}`]: { ...certificate, username: 'ann', password: 'secret' } }
  const file = admissionFile(folder, {
    ValidatingAdmissionWebhook: kubeconfig(folder, users),
    MutatingAdmissionWebhook: kubeconfig(folder, services, {}, 'services.kubeconfig'),
  })
  const world = await startWorld(t, { options: { admissionControlConfigFile: file } })
  await world.make(t, '/api/v1/namespaces/default/services', {
    metadata: { name: 'hook' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  })
  const { caBundle, port } = mutating
  await register(t, world, 'validating', hook('v', validating.config()))
  await register(t, world, 'mutating', hook('m', { caBundle, service: { namespace: 'default', name: 'hook', port } }))
  const made = await create(world, 'a')
  t.is(made.code, 201, made.text)
  t.like(validating.requests.at(-1), { authorization: 'Bearer first', client: undefined })
  const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`
  t.is(mutating.requests.at(-1)?.authorization, basic)
  t.truthy(mutating.requests.at(-1)?.client)
  writeFileSync(join(folder, 'token'), 'second')
  t.is((await create(world, 'b')).code, 201)
  t.is(validating.requests.at(-1)?.authorization, 'Bearer second', 'a file that changes is read again')
  writeFileSync(join(folder, 'token'), '')
  const lost = await create(world, 'c')
  t.is(lost.code, 500)
  t.notRegex(lost.text, /second|secret/)
})

test('who has no name in the file is shown nothing', async t => {
  const folder = temporaryFolder(t)
  const webhook = await startWebhookServer(t, () => ({ allowed: true }))
  const users = { 'elsewhere.example': { token: 'x' }, '127.0.0.1': { token: 'for-port-443-alone' } }
  const file = admissionFile(folder, { ValidatingAdmissionWebhook: kubeconfig(folder, users) })
  const world = await startWorld(t, { options: { admissionControlConfigFile: file } })
  await register(t, world, 'validating', hook('v', webhook.config()))
  t.is((await create(world, 'a')).code, 201)
  t.is(webhook.requests.at(-1)?.authorization, undefined)
})

test('the nearest name wins, with the port before without it, and the current context is the last', t => {
  const folder = temporaryFolder(t)
  const named = (...names: string[]): Users =>
    Object.fromEntries(names.map(name => [name, { token: name.replace(/\*/g, 'any') }]))
  const users = named('a.b.svc', '*.b.svc', '*.svc:443', 'c.b.svc:8443', '*.example', 'last', '[::1]:8443')
  const contexts = [{ name: 'now', context: { user: 'last' } }]
  const cases: readonly [target: string, token: string][] = [
    ['a.b.svc:443', 'any.svc:443'],
    ['c.b.svc:8443', 'c.b.svc:8443'],
    ['c.b.svc:9443', 'last'],
    ['d.example:443', 'any.example'],
    ['x.y.example:443', 'any.example'],
    ['example:443', 'last'],
    ['[::1]:8443', '[::1]:8443'],
    ['*.example:443', 'any.example'],
  ]
  const credentials = new HostCredentials(kubeconfig(folder, users, { contexts, 'current-context': 'now' }))
  for (const [target, token] of cases) t.is(credentials.for(target)?.authorization?.(), `Bearer ${token}`, target)
  const bare = new HostCredentials(kubeconfig(folder, named('a.b.svc', '*.b.svc')))
  t.is(bare.for('a.b.svc:443')?.authorization?.(), 'Bearer a.b.svc')
  t.is(bare.for('z.b.svc:443')?.authorization?.(), 'Bearer any.b.svc')
  t.is(bare.for('a.b.svc:444'), undefined)
  t.is(new HostCredentials(kubeconfig(folder, named('*', 'a'))).for('z:1')?.authorization?.(), 'Bearer any')
})

const WRONG: readonly (readonly [users: unknown, problem: RegExp])[] = [
  [{ a: { exec: { command: 'x' } } }, /users\[0\]\.user\.exec: is not known here/],
  [{ a: { token: 'a', username: 'b' } }, /users\[0\]\.user: a token and a password cannot both be shown/],
  [{ a: { 'client-certificate': 'x.crt' } }, /users\[0\]\.user\.client-certificate: ENOENT.*x\.crt/],
  [
    { a: { 'client-certificate-data': 'eA==', 'client-key-data': 'eA==' } },
    /client-key are no certificate and its key/,
  ],
  [{ a: { 'client-key-data': 'eA==' } }, /a client-certificate and its client-key go together/],
  [{ a: { tokenFile: 'nowhere' } }, /users\[0\]\.user\.tokenFile: ENOENT.*nowhere/],
  [{ a: { token: 'two words' } }, /users\[0\]\.user\.token: is no token/],
  [{ a: { token: 7 } }, /users\[0\]\.user\.token: must be a text/],
]

test('what names nothing, or two, is told: nobody is asked as somebody else', t => {
  const folder = temporaryFolder(t)
  const read = (more: object) => () => new HostCredentials(kubeconfig(folder, { a: { token: 'x' } }, more))
  const contexts = [{ name: 'now', context: { user: 'b' } }]
  const cases: readonly [more: object, problem: RegExp][] = [
    [{ contexts, 'current-context': 'then' }, /^current-context: there is no "then" \(there are: now\)$/],
    [{ contexts, 'current-context': 'now' }, /^contexts\[0\]\.context\.user: there is no "b" \(there are: a\)$/],
    [{ 'current-context': 7 }, /^current-context: must be a text$/],
    [{ users: [{ name: 'a' }, { name: 'a' }] }, /^users\[1\]\.name: "a" stands twice in this list$/],
  ]
  for (const [more, message] of cases) t.throws(read(more), { message })
  t.notThrows(read({ contexts }), 'nobody asks for it')
})

test('what is wrong with the file ends the start, and tells no secret', async t => {
  for (const [users, problem] of WRONG) {
    const folder = temporaryFolder(t)
    const file = admissionFile(folder, { MutatingAdmissionWebhook: kubeconfig(folder, users as Users) })
    const start = startWorld(t, { options: { admissionControlConfigFile: file } })
    const { message = '' } = (await t.throwsAsync(start, { code: 'BAD_OPTION' })) ?? {}
    t.regex(message, problem)
    t.regex(message, /^--admission-control-config-file: .*plugins\[0\]\.configuration\.kubeConfigFile: Invalid value/)
    t.notRegex(message, /two words/)
  }
  const folder = temporaryFolder(t)
  for (const [path, problem] of [
    ['relative.kubeconfig', /must be an absolute file path/],
    ['', /kubeConfigFile: Required value/],
    [join(folder, 'nowhere'), /ENOENT/],
  ] as const) {
    const file = admissionFile(folder, { ValidatingAdmissionWebhook: path })
    await t.throwsAsync(startWorld(t, { options: { admissionControlConfigFile: file } }), { message: problem })
  }
})
