import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import { systemClock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import { inClusterAccess } from '#watcher/in-cluster.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
const DATA = Buffer.from(PEM).toString('base64')
const PLAIN_CLUSTER = { server: 'https://h:6443' }

const config = (cluster: object, user?: object, context: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'c', cluster }],
  users: user ? [{ name: 'u', user }] : [],
  contexts: [{ name: 'x', context: { cluster: 'c', ...(user && { user: 'u' }), ...context } }],
  'current-context': 'x',
})

const write = (folder: string, name: string, content: object | string): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : stringify(content))
  return path
}

const load = (file: string, options: Partial<Parameters<typeof loadKubeconfig>[0]> = {}) =>
  loadKubeconfig({
    file,
    environment: process.env,
    clock: systemClock,
    ...options,
  })

const loadContent = (t: ExecutionContext, content: object | string) =>
  load(write(temporaryFolder(t), 'config', content))

test('a cluster, a context and a user become a way in', async t => {
  const folder = temporaryFolder(t)
  write(folder, 'ca.crt', 'CA')
  write(folder, 'client.crt', 'CERT')
  write(folder, 'client.key', 'KEY')
  const cluster = {
    server: 'https://10.0.0.1:6443/clusters/one',
    'certificate-authority': 'ca.crt',
    'tls-server-name': 'kubernetes',
  }
  const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key', token: 't' }
  const access = await load(write(folder, 'config', config(cluster, user, { namespace: 'prod' })))
  t.is(access.server.href, 'https://10.0.0.1:6443/clusters/one')
  t.is(access.namespace, 'prod')
  t.is(access.serverName, 'kubernetes')
  t.is(await access.authority(), 'CA', 'paths start at the folder of the kubeconfig')
  t.deepEqual(await access.credentials.keyPair(), { certificate: 'CERT', key: 'KEY' })
  t.deepEqual(await access.credentials.headers(), { authorization: 'Bearer t' })
})

test('data beats files, tokenFile beats token, no user is anonymous, no scheme is plain http', async t => {
  const inline = { 'client-certificate-data': DATA, 'client-certificate': '/none', 'client-key-data': DATA }
  const access = await loadContent(t, config({ server: 'h:8080', 'certificate-authority-data': DATA }, inline))
  t.is(access.server.href, 'http://h:8080/')
  t.is(await access.authority(), PEM)
  t.deepEqual(await access.credentials.keyPair(), { certificate: PEM, key: PEM })
  const folder = temporaryFolder(t)
  write(folder, 'token', 'from-file\n')
  const both = await load(write(folder, 'config', config(PLAIN_CLUSTER, { token: 'inline', tokenFile: 'token' })))
  t.deepEqual(await both.credentials.headers(), { authorization: 'Bearer from-file' })
  const nobody = await loadContent(t, config(PLAIN_CLUSTER))
  t.deepEqual(await nobody.credentials.headers(), {})
  t.is(await nobody.credentials.keyPair(), undefined)
  t.is(nobody.namespace, 'default')
})

test('names, basic authentication and impersonation become headers', async t => {
  const user = {
    username: 'me',
    password: 'p:w',
    as: 'jane',
    'as-uid': '7',
    'as-groups': ['g1', 'g2'],
    'as-user-extra': { 'example.com/Scopes': ['a', 'b'] },
  }
  const { credentials } = await loadContent(t, config(PLAIN_CLUSTER, user))
  t.deepEqual(await credentials.headers(), {
    authorization: `Basic ${Buffer.from('me:p:w').toString('base64')}`,
    'impersonate-user': 'jane',
    'impersonate-uid': '7',
    'impersonate-group': ['g1', 'g2'],
    'impersonate-extra-example.com%2Fscopes': ['a', 'b'],
  })
})

test('another context than the current one may be asked for', async t => {
  const contexts = [
    { name: 'x', context: { cluster: 'c', namespace: 'first' } },
    { name: 'y', context: { cluster: 'c', namespace: 'second' } },
  ]
  const file = write(temporaryFolder(t), 'config', { ...config(PLAIN_CLUSTER), contexts })
  t.is((await load(file)).namespace, 'first')
  t.is((await load(file, { context: 'y' })).namespace, 'second')
  await t.throwsAsync(load(file, { context: 'z' }), { message: /config: there is no context "z" \(there are: x, y\)/ })
})

const PROBLEMS: readonly (readonly [string, object | string, RegExp])[] = [
  ['no YAML', 'clusters: [', /config:\d+: /],
  ['an alias of nothing', 'clusters: *c', /config: Unresolved alias/],
  ['aliases without end', `a: &a [x, x]\nb: &b [*a]\nc: [${'*b, '.repeat(200)}]`, /config: Excessive alias count/],
  ['another kind', { kind: 'Pod' }, /config: kind: is Pod, not Config/],
  ['a list that is a map', { clusters: {} }, /config: clusters: must be a list/],
  ['an entry without a name', { clusters: [{ cluster: {} }] }, /clusters\[0\]\.name: is missing/],
  ['a name twice', { users: [{ name: 'u' }, { name: 'u' }] }, /users\[1\]\.name: "u" stands twice/],
  ['no context chosen', { ...config(PLAIN_CLUSTER), 'current-context': '' }, /current-context: names no context/],
  ['an unknown context', { ...config(PLAIN_CLUSTER), 'current-context': 'y' }, /no context "y" \(there are: x\)/],
  ['an unknown cluster', config(PLAIN_CLUSTER, undefined, { cluster: 'd' }), /contexts\[0\]\.context\.cluster: .*"d"/],
  ['an unknown user', config(PLAIN_CLUSTER, undefined, { user: 'v' }), /contexts\[0\]\.context\.user: .*"v"/],
  ['no server', config({}), /clusters\[0\]\.cluster\.server: is missing/],
  ['no URL', config({ server: 'https://' }), /cluster\.server: "https:\/\/" is not the URL/],
  ['another scheme', config({ server: 'ftp://h' }), /cluster\.server: .*is not the URL/],
  ['a proxy', config({ ...PLAIN_CLUSTER, 'proxy-url': 'http://p' }), /cluster\.proxy-url: proxies are not supported/],
  ['no base64', config({ ...PLAIN_CLUSTER, 'certificate-authority-data': '%' }), /authority-data: must be base64/],
  ['no PEM', config({ ...PLAIN_CLUSTER, 'certificate-authority-data': 'AAAA' }), /authority-data: must be PEM/],
  [
    'insecure with authority',
    config({ ...PLAIN_CLUSTER, 'insecure-skip-tls-verify': true, 'certificate-authority': 'x' }),
    /insecure-skip-tls-verify: cannot stand beside/,
  ],
  ['a flag that is text', config({ ...PLAIN_CLUSTER, 'insecure-skip-tls-verify': 'yes' }), /must be true or false/],
  ['half a key pair', config(PLAIN_CLUSTER, { 'client-key': 'k' }), /users\[0\]\.user\.client-certificate: is missing/],
  [
    'two passwords',
    config(PLAIN_CLUSTER, { token: 't', username: 'u' }),
    /user\.username: cannot stand beside a token/,
  ],
  ['auth-provider', config(PLAIN_CLUSTER, { 'auth-provider': { name: 'gcp' } }), /auth-provider: was removed/],
  ['groups without user', config(PLAIN_CLUSTER, { 'as-groups': ['g'] }), /user\.as: is missing/],
  ['exec without command', config(PLAIN_CLUSTER, exec({ command: '' })), /exec\.command: is missing/],
  ['exec of old', config(PLAIN_CLUSTER, exec({ apiVersion: 'client.authentication.k8s.io/v1alpha1' })), /apiVersion/],
  ['exec without mode', config(PLAIN_CLUSTER, exec({ interactiveMode: undefined })), /interactiveMode: is missing/],
  ['exec with a terminal', config(PLAIN_CLUSTER, exec({ interactiveMode: 'Always' })), /interactiveMode: is Always/],
]

function exec(overrides: object) {
  return {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './plugin',
      interactiveMode: 'Never',
      ...overrides,
    },
  }
}

for (const [name, content, message] of PROBLEMS) {
  test(`refused with file and field: ${name}`, async t => {
    const error = await t.throwsAsync(loadContent(t, content), { instanceOf: SeamarkError, message })
    t.is(error.code, 'BAD_KUBECONFIG')
    t.regex(error.message, /\/config\b/)
  })
}

test('a missing or unreadable file is named', async t => {
  const folder = temporaryFolder(t)
  await t.throwsAsync(load(join(folder, 'none')), { code: 'BAD_KUBECONFIG', message: /none: the file does not exist/ })
  await t.throwsAsync(load(folder), { code: 'BAD_KUBECONFIG', message: /cannot be read/ })
  const lost = await load(write(folder, 'config', config(PLAIN_CLUSTER, { tokenFile: 'gone' })))
  await t.throwsAsync(lost.credentials.headers(), { code: 'BAD_KUBECONFIG', message: /cannot read .*gone/ })
})

test('files are read again each minute, at once after a 401, and kept while they are gone', async t => {
  const folder = temporaryFolder(t)
  const clock = new VirtualClock()
  write(folder, 'token', 'one')
  const { credentials } = await load(write(folder, 'config', config(PLAIN_CLUSTER, { tokenFile: 'token' })), { clock })
  const token = async () => (await credentials.headers()).authorization
  t.is(await token(), 'Bearer one')
  write(folder, 'token', 'two')
  t.is(await token(), 'Bearer one')
  await clock.advance(60_000)
  t.is(await token(), 'Bearer two')
  write(folder, 'token', 'three')
  t.true(credentials.refused())
  t.is(await token(), 'Bearer three')
})

/** A real program. */
const plugin = (folder: string, script: string): void => {
  write(folder, 'plugin', `#!/bin/sh\n${script}\n`)
  chmodSync(join(folder, 'plugin'), 0o755)
}

const credential = (status: object, apiVersion = 'client.authentication.k8s.io/v1') =>
  `cat <<'END'\n${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}\nEND`

const loadPlugin = (
  folder: string,
  overrides: object,
  clock: VirtualClock = new VirtualClock(),
  cluster: object = PLAIN_CLUSTER,
) =>
  load(write(folder, 'config', config(cluster, exec(overrides))), {
    clock,
    environment: { ...process.env, COLOUR: 'red' },
  })

test('exec: the program gives a token, which is kept until it expires or is refused', async t => {
  const folder = temporaryFolder(t)
  const clock = new VirtualClock()
  const expirationTimestamp = new Date(clock.now() + 600_000).toISOString()
  plugin(folder, `cd ${folder}; echo x >> runs; ${credential({ token: 'secret', expirationTimestamp })}`)
  const overrides = { args: ['get'], env: [{ name: 'COLOUR', value: 'blue' }] }
  const { credentials } = await loadPlugin(folder, overrides, clock)
  const runs = () => readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1
  const headers = { authorization: 'Bearer secret' }
  t.deepEqual(await Promise.all([credentials.headers(), credentials.headers()]), [headers, headers])
  t.is(runs(), 1)
  await clock.advance(599_000)
  await credentials.headers()
  t.is(runs(), 1)
  await clock.advance(1_000)
  await credentials.headers()
  t.is(runs(), 2)
  t.true(credentials.refused())
  await credentials.headers()
  t.is(runs(), 3)
})

test('exec: v1beta1, a certificate, arguments, environment and the cluster', async t => {
  const folder = temporaryFolder(t)
  const apiVersion = 'client.authentication.k8s.io/v1beta1'
  const status = { clientCertificateData: 'CERT', clientKeyData: 'KEY' }
  write(
    folder,
    'plugin',
    `#!/bin/sh\ncd ${folder}\necho "$KUBERNETES_EXEC_INFO" > told\necho "$1 $COLOUR" > args\n${credential(status, apiVersion)}\n`,
  )
  chmodSync(join(folder, 'plugin'), 0o755)
  const cluster = {
    ...PLAIN_CLUSTER,
    'certificate-authority-data': DATA,
    'tls-server-name': 'name',
    extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }],
  }
  const overrides = {
    apiVersion,
    interactiveMode: undefined,
    provideClusterInfo: true,
    args: ['get'],
    env: [{ name: 'COLOUR', value: 'blue' }],
  }
  const { credentials } = await loadPlugin(folder, overrides, new VirtualClock(), cluster)
  t.deepEqual(await credentials.keyPair(), { certificate: 'CERT', key: 'KEY' })
  t.deepEqual(await credentials.headers(), {})
  t.is(readFileSync(join(folder, 'args'), 'utf8'), 'get blue\n')
  t.deepEqual(JSON.parse(readFileSync(join(folder, 'told'), 'utf8')), {
    apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      cluster: {
        server: 'https://h:6443',
        'tls-server-name': 'name',
        'certificate-authority-data': DATA,
        config: { audience: 'a' },
      },
    },
  })
})

test('exec: what goes wrong says which program and why', async t => {
  const cases: readonly (readonly [string, object, RegExp])[] = [
    ['echo no such account >&2; exit 3', {}, /exec: the program .*plugin ended with 3: no such account/],
    ['echo hello', {}, /its output is no JSON/],
    [`echo '{"kind":"Pod"}'`, {}, /kind is "Pod"/],
    [credential({ token: 't' }, 'client.authentication.k8s.io/v1beta1'), {}, /apiVersion is "client.*v1beta1"/],
    [credential({}), {}, /neither token nor clientCertificateData/],
    [credential({ clientKeyData: 'k' }), {}, /needs clientCertificateData and clientKeyData together/],
    [credential({ token: 't', expirationTimestamp: 'soon' }), {}, /expirationTimestamp is "soon"/],
    [
      '',
      { command: 'seamark-no-such-program', installHint: 'get it' },
      /seamark-no-such-program was not found\nget it/,
    ],
  ]
  for (const [script, overrides, message] of cases) {
    const folder = temporaryFolder(t)
    plugin(folder, `cd ${folder}; ${script}`)
    const { credentials } = await loadPlugin(folder, overrides)
    await t.throwsAsync(credentials.headers(), { instanceOf: SeamarkError, message }, script)
  }
})

test('exec: a program that hangs is ended', async t => {
  const folder = temporaryFolder(t)
  const clock = new VirtualClock()
  plugin(folder, 'exec sleep 1000')
  const { credentials } = await loadPlugin(folder, {}, clock)
  const failed = t.throwsAsync(credentials.headers(), { code: 'API_REFUSED', message: /did not end within 60 s/ })
  for (let step = 0; step < 61; step++) await clock.advance(1_000)
  await failed
})

test('in a pod: the service account, and clear words outside of one', async t => {
  const folder = join(temporaryFolder(t), 'account')
  mkdirSync(folder)
  for (const [name, text] of [
    ['token', 'tok\n'],
    ['ca.crt', 'CA'],
    ['namespace', 'apps'],
  ] as const)
    write(folder, name, text)
  const clock = new VirtualClock()
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  const access = await inClusterAccess({ environment, clock, folder })
  t.is(access.server.href, 'https://[fd00::1]/')
  t.is(access.namespace, 'apps')
  t.is(await access.authority(), 'CA')
  t.deepEqual(await access.credentials.headers(), { authorization: 'Bearer tok' })
  write(folder, 'token', 'rotated')
  await clock.advance(60_000)
  t.deepEqual(await access.credentials.headers(), { authorization: 'Bearer rotated' })
  await t.throwsAsync(inClusterAccess({ environment: {}, clock, folder }), {
    code: 'BAD_KUBECONFIG',
    message: /not in a pod/,
  })
  await t.throwsAsync(inClusterAccess({ environment, clock, folder: '/none' }), { message: /cannot read \/none/ })
})
