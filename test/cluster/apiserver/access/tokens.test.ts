/** Tokens: of service accounts, of a file, for nodes that join, and of secrets; what ends them, ends them at once. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { TestReply } from '../../../support/apiserver.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const D = `${CORE}/namespaces/default`
const ACCOUNT = `${D}/serviceaccounts/robot`

const whoami = async ({ server }: World, token: string): Promise<TestReply> =>
  server.fetch('/apis/authentication.k8s.io/v1/selfsubjectreviews', { method: 'POST', body: {}, token })

const robot = (world: World, t: Parameters<World['make']>[0]) =>
  world.make(t, `${D}/serviceaccounts`, { metadata: { name: 'robot' } })

const request = ({ server }: World, spec: object): Promise<TestReply> =>
  server.fetch(`${ACCOUNT}/token`, { method: 'POST', body: { spec: { audiences: [], ...spec } } })

test('a token names its account, and others can verify it', async t => {
  const world = await startWorld(t)
  const { server } = world
  await robot(world, t)
  const { code, json } = await request(world, { expirationSeconds: 1200 })
  t.is(code, 201)
  t.is(json.spec.expirationSeconds, 1200)
  const { token, expirationTimestamp } = json.status
  t.true(Math.abs(Date.parse(expirationTimestamp) - Date.now() - 1_200_000) < 60_000)
  const { userInfo } = (await whoami(world, token)).json.status
  t.is(userInfo.username, 'system:serviceaccount:default:robot')
  t.deepEqual(userInfo.groups, ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'])
  t.regex(userInfo.extra['authentication.kubernetes.io/credential-id'][0], /^JTI=/)
  const configuration = (await server.fetch('/.well-known/openid-configuration', { token })).json
  t.is(configuration.issuer, 'https://kubernetes.default.svc.cluster.local')
  const keys = createLocalJWKSet((await server.fetch('/openid/v1/jwks', { token })).json)
  const { payload } = await jwtVerify(token, keys, { issuer: configuration.issuer, audience: configuration.issuer })
  t.is(payload.sub, 'system:serviceaccount:default:robot')
})

test('a token that was changed, cut, signed by nobody, or for others, is none', async t => {
  const world = await startWorld(t)
  await robot(world, t)
  const { token } = (await request(world, {})).json.status
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const forged = encode({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })
  const vault = (await request(world, { audiences: ['vault'] })).json.status.token
  const bad = [
    `${header}.${forged}.${signature}`,
    `${encode({ alg: 'none' })}.${payload}.`,
    `${encode({ alg: 'HS256' })}.${payload}.${signature}`,
    `${header}.${payload}`,
    `${token}x`,
    vault,
    'nonsense',
    'a.b.c',
  ]
  for (const each of bad) t.is((await whoami(world, each)).code, 401, each)
  const review = (spec: object) =>
    world.server.fetch('/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body: { spec } })
  t.is((await review({ token: vault })).json.status.authenticated, undefined)
  const { status } = (await review({ token: vault, audiences: ['vault', 'other'] })).json
  t.deepEqual([status.authenticated, status.audiences], [true, ['vault']])
  t.is(status.user.username, 'system:serviceaccount:default:robot')
  t.is((await review({ token: 'nonsense' })).json.status.authenticated, undefined)
  t.is((await review({ token: '' })).code, 400)
})

test('what a token is bound to ends it, at once', async t => {
  const world = await startWorld(t)
  const { server } = world
  await robot(world, t)
  await world.make(t, `${CORE}/nodes`, { metadata: { name: 'n1' } })
  await world.make(t, `${D}/secrets`, { metadata: { name: 's' } })
  await world.make(t, `${D}/pods`, pod('p', 'n1', { serviceAccountName: 'robot' }))
  await world.make(t, `${D}/pods`, pod('q', 'n1'))
  const bound = async (kind: string, name: string) => {
    const { json } = await request(world, { boundObjectRef: { apiVersion: 'v1', kind, name } })
    return json.status?.token as string
  }
  const [ofPod, ofSecret, ofNode] = [await bound('Pod', 'p'), await bound('Secret', 's'), await bound('Node', 'n1')]
  const plain = (await request(world, {})).json.status.token
  const { extra } = (await whoami(world, ofPod)).json.status.userInfo
  t.deepEqual(extra['authentication.kubernetes.io/pod-name'], ['p'])
  t.deepEqual(extra['authentication.kubernetes.io/node-name'], ['n1'])
  for (const token of [ofPod, ofSecret, ofNode, plain]) t.is((await whoami(world, token)).code, 201)
  t.is((await request(world, { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'q' } })).code, 400)
  t.is((await request(world, { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'x' } })).code, 404)
  t.is((await request(world, { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'x' } })).code, 409)
  t.is((await request(world, { boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'p' } })).code, 400)
  t.is((await request(world, { expirationSeconds: 60 })).code, 422)
  const remove = (path: string) => server.fetch(`${path}?gracePeriodSeconds=0`, { method: 'DELETE' })
  await remove(`${D}/pods/p`)
  t.is((await whoami(world, ofPod)).code, 401)
  await remove(`${D}/secrets/s`)
  t.is((await whoami(world, ofSecret)).code, 401)
  await world.make(t, `${D}/secrets`, { metadata: { name: 's' } })
  t.is((await whoami(world, ofSecret)).code, 401, 'another secret of that name')
  await remove(`${CORE}/nodes/n1`)
  t.is((await whoami(world, ofNode)).code, 401)
  t.is((await whoami(world, plain)).code, 201)
  await remove(ACCOUNT)
  await robot(world, t)
  t.is((await whoami(world, plain)).code, 401, 'another account of that name')
})

test('time ends a token', async t => {
  const clock = new VirtualClock(Date.now())
  const world = await startWorld(t, { clock })
  await robot(world, t)
  const { token } = (await request(world, { expirationSeconds: 600 })).json.status
  t.is((await whoami(world, token)).code, 201)
  await clock.advance(599_000)
  t.is((await whoami(world, token)).code, 201)
  await clock.advance(62_000)
  t.is((await whoami(world, token)).code, 401)
})

test('the token of a Secret is good as long as the Secret holds it', async t => {
  const world = await startWorld(t)
  await robot(world, t)
  const secret = {
    metadata: { name: 'old', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
    type: 'kubernetes.io/service-account-token',
  }
  await world.make(t, `${D}/secrets`, secret)
  const { json } = await world.server.fetch(`${D}/secrets/old`)
  const token = Buffer.from(json.data.token, 'base64').toString()
  t.regex(Buffer.from(json.data['ca.crt'], 'base64').toString(), /BEGIN CERTIFICATE/)
  t.is(Buffer.from(json.data.namespace, 'base64').toString(), 'default')
  t.is((await whoami(world, token)).json.status.userInfo.username, 'system:serviceaccount:default:robot')
  await world.server.fetch(`${D}/secrets/old`, { method: 'DELETE' })
  t.is((await whoami(world, token)).code, 401)
})

test('tokens of a file, and of Secrets for nodes that join', async t => {
  const file = join(temporaryFolder(t), 'tokens.csv')
  writeFileSync(file, 'secret-1,alice,7,"dev,ops"\n\nsecret-2, bob ,8\n')
  const world = await startWorld(t, { options: { tokenAuthFile: file } })
  const user = async (token: string) => (await whoami(world, token)).json.status?.userInfo
  t.deepEqual(await user('secret-1'), { username: 'alice', uid: '7', groups: ['dev', 'ops', 'system:authenticated'] })
  t.deepEqual(await user('secret-2'), { username: 'bob', uid: '8', groups: ['system:authenticated'] })
  t.is(await user('secret-3'), undefined)
  const join1 = (changes: Record<string, string> = {}, id = 'abcdef') => ({
    metadata: { name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      ...changes,
    },
  })
  const secrets = `${CORE}/namespaces/kube-system/secrets`
  await world.make(t, secrets, join1())
  t.deepEqual(await user('abcdef.0123456789abcdef'), {
    username: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
  })
  t.is(await user('abcdef.0123456789abcdee'), undefined)
  await world.make(t, secrets, join1({ expiration: '2020-01-01T00:00:00Z' }, 'aaaaaa'))
  await world.make(t, secrets, join1({ 'auth-extra-groups': 'system:masters' }, 'bbbbbb'))
  await world.make(t, secrets, join1({ 'usage-bootstrap-authentication': 'false' }, 'cccccc'))
  for (const id of ['aaaaaa', 'bbbbbb', 'cccccc']) t.is(await user(`${id}.0123456789abcdef`), undefined, id)
  const bad = join(temporaryFolder(t), 'bad.csv')
  writeFileSync(bad, 'only-a-token\n')
  await t.throwsAsync(startWorld(t, { options: { tokenAuthFile: bad } }), { message: /bad\.csv:1: wants/ })
})
