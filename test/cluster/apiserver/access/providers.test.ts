/** Users and decisions that come from others: an identity provider, a webhook that knows tokens, one that decides. */
import { writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { stringify } from 'yaml'
import { makeAuthority } from '../../../support/certificates.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { startWorld, type World } from './world.ts'

interface Provider {
  readonly url: string
  readonly folder: string
  readonly ca: string
}

const readJson = async (request: IncomingMessage) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined
}

/** Answers JSON over TLS. */
// biome-ignore lint/suspicious/noExplicitAny: reviews, as they come.
const startProvider = async (t: ExecutionContext, answer: (path: string, body: any) => unknown): Promise<Provider> => {
  const authority = await makeAuthority()
  const server = createServer(await authority.server(), async (request, response) => {
    const body = answer(request.url ?? '', await readJson(request))
    response.writeHead(body === undefined ? 500 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const folder = temporaryFolder(t)
  const ca = join(folder, 'ca.crt')
  writeFileSync(ca, authority.ca)
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, folder, ca }
}

/** The kubeconfig that names the provider as a webhook. */
const webhookFile = ({ url, folder }: Provider): string => {
  const path = join(folder, 'webhook.yaml')
  const cluster = { server: `${url}/review`, 'certificate-authority': 'ca.crt' }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'w', cluster }],
    users: [{ name: 'u', user: { token: 'apiserver' } }],
    contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
    'current-context': 'c',
  }
  writeFileSync(path, stringify(config))
  return path
}

const userOf = async ({ server }: World, token: string) => {
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  return (await server.fetch(path, { method: 'POST', body: {}, token })).json.status?.userInfo
}

test('ID tokens of a provider name users, by the claims that the operator chose', async t => {
  const first = await generateKeyPair('RS256', { extractable: true })
  const second = await generateKeyPair('ES256', { extractable: true })
  const keys = [{ ...(await exportJWK(first.publicKey)), kid: '1', alg: 'RS256' }]
  const provider = await startProvider(t, path =>
    path === '/.well-known/openid-configuration'
      ? { issuer: provider.url, jwks_uri: `${provider.url}/keys` }
      : { keys },
  )
  const world = await startWorld(t, {
    options: {
      oidcIssuerUrl: provider.url,
      oidcClientId: 'cluster',
      oidcUsernameClaim: 'name',
      oidcUsernamePrefix: 'oidc:',
      oidcGroupsClaim: 'groups',
      oidcGroupsPrefix: 'oidc:',
      oidcRequiredClaim: 'team=a',
      oidcCaFile: provider.ca,
    },
  })
  const claims = { name: 'ann', groups: ['system:masters', 'dev'], team: 'a', iss: provider.url, aud: 'cluster' }
  const now = Math.floor(Date.now() / 1000)
  const sign = (
    changes: object,
    key = first.privateKey,
    header: { alg: string; kid: string } = { alg: 'RS256', kid: '1' },
  ) => new SignJWT({ ...claims, exp: now + 600, ...changes }).setProtectedHeader(header).sign(key)
  t.deepEqual(await userOf(world, await sign({})), {
    username: 'oidc:ann',
    groups: ['oidc:system:masters', 'oidc:dev', 'system:authenticated'],
  })
  const stranger = await generateKeyPair('RS256')
  const bad = [
    await sign({ aud: 'another' }),
    await sign({ exp: now - 600 }),
    await sign({ exp: undefined }),
    await sign({ team: 'b' }),
    await sign({ name: undefined }),
    await sign({ iss: 'https://elsewhere.example' }),
    await sign({}, stranger.privateKey),
    await sign({}, second.privateKey, { alg: 'ES256', kid: '2' }),
  ]
  for (const token of bad) t.is(await userOf(world, token), undefined)
})

test("a token signed in another way than the operator allows is nobody's", async t => {
  const algorithms = ['RS256', 'RS512', 'PS256', 'ES256', 'ES384']
  const signers = await Promise.all(
    algorithms.map(async alg => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
      return { alg, privateKey, key: { ...(await exportJWK(publicKey)), kid: alg } }
    }),
  )
  const keys = signers.map(({ key }) => key)
  const provider = await startProvider(t, path =>
    path === '/keys' ? { keys } : { issuer: provider.url, jwks_uri: `${provider.url}/keys` },
  )
  const { url, ca } = provider
  const exp = Math.floor(Date.now() / 1000) + 600
  const taken = async (said?: string) => {
    const oidcSigningAlgs = said === undefined ? {} : { oidcSigningAlgs: said }
    const world = await startWorld(t, {
      options: { oidcIssuerUrl: url, oidcClientId: 'c', oidcCaFile: ca, ...oidcSigningAlgs },
    })
    const names: string[] = []
    for (const { alg, privateKey } of signers) {
      const token = new SignJWT({ sub: 'ann', iss: url, aud: 'c', exp }).setProtectedHeader({ alg, kid: alg })
      if (await userOf(world, await token.sign(privateKey))) names.push(alg)
    }
    return names
  }
  t.deepEqual(await taken(), ['RS256'])
  t.deepEqual(await taken('ES256, PS256'), ['PS256', 'ES256'])
  t.deepEqual(await taken('RS256,RS384,RS512,ES256,ES384,ES512,PS256,PS384,PS512'), algorithms)
})

test('an address that a provider has not verified names nobody', async t => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const keys = [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' }]
  const provider = await startProvider(t, path =>
    path === '/keys' ? { keys } : { issuer: provider.url, jwks_uri: `${provider.url}/keys` },
  )
  const { url, ca } = provider
  const options = {
    oidcIssuerUrl: url,
    oidcClientId: 'c',
    oidcUsernameClaim: 'email',
    oidcSigningAlgs: 'RS256,ES256',
    oidcCaFile: ca,
  }
  const world = await startWorld(t, { options })
  const exp = Math.floor(Date.now() / 1000) + 600
  const nameWith = async (claims: object) => {
    const token = new SignJWT({ email: 'ann@example.com', iss: url, aud: 'c', exp, ...claims })
    return (await userOf(world, await token.setProtectedHeader({ alg: 'ES256', kid: '1' }).sign(privateKey)))?.username
  }
  for (const claims of [{}, { email_verified: true }]) t.is(await nameWith(claims), 'ann@example.com')
  for (const email_verified of [false, 'true', 'false', 0, 1, null]) t.is(await nameWith({ email_verified }), undefined)
})

test('a webhook that knows tokens is asked once for each, and what it does not know is nobody', async t => {
  const asked: string[] = []
  const provider = await startProvider(t, (_path, review) => {
    const { token } = review.spec
    asked.push(token)
    if (token === 'broken') return undefined
    return token === 'good'
      ? { status: { authenticated: true, user: { username: 'wendy', groups: ['g'], extra: { a: ['b'] } } } }
      : { status: { authenticated: false } }
  })
  const world = await startWorld(t, { options: { authenticationTokenWebhookConfigFile: webhookFile(provider) } })
  const wendy = { username: 'wendy', groups: ['g', 'system:authenticated'], extra: { a: ['b'] } }
  t.deepEqual(await userOf(world, 'good'), wendy)
  t.deepEqual(await userOf(world, 'good'), wendy)
  t.is(await userOf(world, 'bad'), undefined)
  t.is(await userOf(world, 'broken'), undefined)
  t.deepEqual(asked, ['good', 'bad', 'broken'])
})

test('a webhook decides what roles do not allow, and no more', async t => {
  const asked: string[] = []
  const provider = await startProvider(t, (_path, { spec }) => {
    asked.push(`${spec.user} ${spec.resourceAttributes?.verb} ${spec.resourceAttributes?.resource}`)
    if (spec.user === 'ann') return { status: { allowed: true } }
    if (spec.user === 'bob') return { status: { allowed: false, denied: true, reason: 'not bob' } }
    return undefined
  })
  const world = await startWorld(t, { options: { authorizationWebhookConfigFile: webhookFile(provider) } })
  const get = (as: string, path = '/api/v1/namespaces/default/pods') => world.server.fetch(path, { as })
  t.is((await get('ann')).code, 200)
  t.is((await get('ann')).code, 200)
  t.is((await get('ann', '/api')).code, 200, 'roles allow it')
  const bob = await get('bob')
  t.is(bob.code, 403)
  t.regex(bob.json.message, /in the namespace "default": not bob$/)
  t.is((await get('eve')).code, 403, 'a webhook that fails allows nothing')
  t.deepEqual(asked, ['ann list pods', 'bob list pods', 'eve list pods'])
})

test('what the operator wrote wrong ends the start, with the name of the option', async t => {
  const start = (options: Record<string, string>) => startWorld(t, { options })
  await t.throwsAsync(start({ oidcIssuerUrl: 'https://x.example' }), {
    message: /^--oidc-client-id: .* --oidc-issuer-url/,
  })
  for (const issuer of ['http://x.example', 'x.example', 'https://'])
    await t.throwsAsync(start({ oidcIssuerUrl: issuer, oidcClientId: 'c' }), {
      message: `--oidc-issuer-url: "${issuer}" is no https:// URL`,
    })
  for (const algorithm of ['HS256', 'none', 'rs256', ''])
    await t.throwsAsync(
      start({ oidcIssuerUrl: 'https://x.example', oidcClientId: 'c', oidcSigningAlgs: `RS256,${algorithm}` }),
      {
        message: `--oidc-signing-algs: "${algorithm}" is none of RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512`,
      },
    )
  const oidc = { oidcIssuerUrl: 'https://x.example', oidcClientId: 'c' }
  for (const [option, flag] of [
    ['oidcCaFile', '--oidc-ca-file'],
    ['tokenAuthFile', '--token-auth-file'],
    ['authorizationWebhookConfigFile', '--authorization-webhook-config-file'],
    ['authenticationTokenWebhookConfigFile', '--authentication-token-webhook-config-file'],
  ] as const)
    await t.throwsAsync(start({ ...oidc, [option]: '/nowhere' }), { message: new RegExp(`^${flag}: /nowhere.*ENOENT`) })
})

test("a webhook's kubeconfig is taken whole: what would not be used is told", async t => {
  const path = join(temporaryFolder(t), 'webhook.yaml')
  const cluster = { server: 'https://x.example' }
  const cases: readonly [content: unknown, problem: RegExp][] = [
    ['a: [', /webhook\.yaml: \S/],
    ['a: &a [*a', /webhook\.yaml: \S/],
    ['7', /must be a kubeconfig/],
    [{ clusters: {} }, /clusters: must be a list/],
    [{ clusters: [{ cluster }] }, /clusters\[0\]\.name: must be a text/],
    [
      { clusters: [{ name: 'w', cluster: { server: 'http://x.example' } }] },
      /clusters\[0\]\.cluster\.server: names no https:\/\/ server/,
    ],
    [{}, /clusters: there is none/],
    [
      { clusters: [{ name: 'w', cluster: { ...cluster, 'certificate-authority-data': 'eA==' } }] },
      /clusters\[0\]\.cluster\.certificate-authority: is no certificate in PEM/,
    ],
    [
      {
        clusters: [{ name: 'w', cluster }],
        contexts: [{ name: 'c', context: { cluster: 'v' } }],
        'current-context': 'c',
      },
      /contexts\[0\]\.context\.cluster: there is no "v" \(there are: w\)/,
    ],
    [{ clusters: [{ name: 'w', cluster: { ...cluster, 'proxy-url': 'x' } }] }, /cluster\.proxy-url: is not known here/],
    [
      {
        clusters: [{ name: 'w', cluster }],
        users: [{ name: 'u', user: { exec: { command: 'x' } } }],
        contexts: [{ name: 'c', context: { cluster: 'w', user: 'u' } }],
        'current-context': 'c',
      },
      /users\[0\]\.user\.exec: is not known here/,
    ],
  ]
  for (const [content, message] of cases) {
    writeFileSync(path, typeof content === 'string' ? content : stringify(content))
    await t.throwsAsync(startWorld(t, { options: { authorizationWebhookConfigFile: path } }), { message })
  }
})
