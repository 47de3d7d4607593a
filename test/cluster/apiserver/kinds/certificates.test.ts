/** CertificateSigningRequests: who asks, who decides, who signs, and what comes of it. */
import { X509Certificate } from 'node:crypto'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { createControllers } from '#cluster/controllers/controllers.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'
import { makeRequest, type WantedCertificate } from '../../../support/certificate-request.ts'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const CLIENT = 'kubernetes.io/kube-apiserver-client'
const KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'
const SERVING = 'kubernetes.io/kubelet-serving'

const jane = await makeRequest({ commonName: 'jane' })

kindDoor(test, [
  {
    path: REQUESTS,
    good: {
      spec: { request: jane.base64, signerName: 'example.com/mine', usages: ['client auth'], expirationSeconds: 7200 },
    },
    defaults: {
      spec: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
      status: {},
    },
    invalid: [
      [
        'nothing that it needs',
        body => (body.spec = {}),
        [
          'spec.request: Invalid value: null: PEM block type must be CERTIFICATE REQUEST',
          'spec.usages: Required value',
          'spec.signerName: Required value',
        ],
      ],
      [
        'what is none',
        body =>
          (body.spec.request = Buffer.from(
            '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
          ).toString('base64')),
        [
          'spec.request: Invalid value: "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KQUFBQQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K": not a certificate request (PKCS #10) signed by its own key',
        ],
      ],
      [
        'usages twice, and of no kind; a moment; a signer without a path',
        body =>
          Object.assign(body.spec, {
            usages: ['client auth', 'client auth', 'juggling'],
            expirationSeconds: 599,
            signerName: 'mine',
          }),
        [
          'spec.usages[1]: Duplicate value: "client auth"',
          'spec.usages[2]: Unsupported value: "juggling": supported values: "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping"',
          'spec.signerName: Invalid value: "mine": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
          'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)',
        ],
      ],
      [
        'the signer of old',
        body => (body.spec.signerName = 'kubernetes.io/legacy-unknown'),
        [
          'spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version',
        ],
      ],
    ],
    immutable: [['another wish is no wish', body => (body.spec.signerName = 'example.com/other'), []]],
    status: { certificate: Buffer.from('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n').toString('base64') },
    cells: {
      SignerName: 'example.com/mine',
      Requestor: 'kubernetes-admin',
      RequestedDuration: '120m',
      Condition: 'Pending,Issued',
    },
  },
])

const withControllers = async (t: ExecutionContext): Promise<RunningApiserver> => {
  const server = await startApiserver(t)
  const access = await loadKubeconfig({
    file: server.programs['controller-manager'],
    environment: {},
    clock: systemClock,
  })
  const environment = { clock: systemClock, random: systemRandom, logger: silentLogger, registry: createRegistry() }
  const controllers = createControllers({ access, signer: server.pki }, environment)
  t.teardown(() => controllers.close())
  await controllers.start(new AbortController().signal)
  return server
}

interface Wish extends WantedCertificate {
  readonly signerName: string
  readonly usages: readonly string[]
  readonly expirationSeconds?: number
}

const ask = async ({ fetch }: RunningApiserver, name: string, wish: Wish, init = {}) => {
  const { signerName, usages, expirationSeconds, ...wanted } = wish
  const { base64, key } = await makeRequest(wanted)
  const spec = { request: base64, signerName, usages, expirationSeconds }
  return { key, reply: await fetch(REQUESTS, { method: 'POST', body: { metadata: { name }, spec }, ...init }) }
}

const decide = async ({ fetch }: RunningApiserver, name: string, type: string, init = {}) => {
  const { json } = await fetch(`${REQUESTS}/${name}`)
  const status = {
    ...json.status,
    conditions: [...(json.status.conditions ?? []), { type, status: 'True', reason: 'Because' }],
  }
  return fetch(`${REQUESTS}/${name}/approval`, { method: 'PUT', body: { ...json, status }, ...init })
}

/** The request once it has a certificate or has failed; told by a watch, not by waiting. */
const settled = async (server: RunningApiserver, name: string) => {
  const isSettled = (request: { status: { certificate?: string; conditions?: { type: string }[] } }) =>
    request.status.certificate !== undefined || request.status.conditions?.some(({ type }) => type === 'Failed')
  const deadline = Date.now() + 60_000
  for (;;) {
    const { json } = await server.fetch(`${REQUESTS}/${name}`)
    if (isSettled(json)) return json
    if (Date.now() > deadline) throw new Error(JSON.stringify(json.status))
    const { resourceVersion } = json.metadata
    const query = `watch=1&resourceVersion=${resourceVersion}&fieldSelector=metadata.name%3D${name}&timeoutSeconds=1`
    await server.fetch(`${REQUESTS}?${query}`)
  }
}

const certificateOf = (request: { status: { certificate: string } }) =>
  new X509Certificate(Buffer.from(request.status.certificate, 'base64'))

test('an approved wish becomes a certificate that the apiserver takes, for as long as was asked', async t => {
  const server = await withControllers(t)
  const usages = ['digital signature', 'client auth']
  const { reply } = await ask(server, 'jane', {
    commonName: 'jane',
    organizations: ['dev'],
    signerName: CLIENT,
    usages,
    expirationSeconds: 3600,
  })
  t.is(reply.code, 201, reply.text)
  const approved = await decide(server, 'jane', 'Approved')
  t.is(approved.code, 200, approved.text)
  const [condition] = approved.json.status.conditions
  t.regex(condition.lastUpdateTime, /^20/)
  t.is(condition.lastTransitionTime, condition.lastUpdateTime)
  const certificate = certificateOf(await settled(server, 'jane'))
  t.is(certificate.subject, 'O=dev\nCN=jane')
  t.true(certificate.verify(new X509Certificate(server.pki.authority).publicKey))
  const left = certificate.validToDate.getTime() - Date.now()
  t.true(left > 3_000_000 && left <= 3_600_000, String(left))
  t.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  const again = await server.fetch(`${REQUESTS}/jane/status`, {
    method: 'PATCH',
    body: { status: { certificate: Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64') } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  t.is(again.json.details.causes[0].message, 'Forbidden: updates may not modify existing certificate content')
})

test('what its signer does not give out fails, and says why', async t => {
  const server = await withControllers(t)
  const usages = ['digital signature', 'client auth']
  await ask(server, 'both', { commonName: 'c', signerName: CLIENT, usages: [...usages, 'server auth'] })
  await ask(server, 'nobody', { commonName: 'system:node:n', signerName: KUBELET, usages })
  await ask(server, 'nameless', {
    commonName: 'system:node:n',
    organizations: ['system:nodes'],
    signerName: SERVING,
    usages: ['digital signature', 'server auth'],
  })
  const reasons = ['both', 'nobody', 'nameless'].map(async name => {
    t.is((await decide(server, name, 'Approved')).code, 200)
    const { conditions } = (await settled(server, name)).status
    return conditions.find(({ type }: { type: string }) => type === 'Failed')
  })
  const failed = await Promise.all(reasons)
  t.deepEqual(
    failed.map(({ message }) => message),
    [
      'invalid usage for client certificate: server auth',
      'subject organization is not system:nodes',
      'DNS or IP subjectAltName is required',
    ],
  )
  t.is(failed[0].reason, 'SignerValidationFailure')
})

test('a node that joins gets its certificate without anybody, where the roles say so, and only its own', async t => {
  const server = await withControllers(t)
  const binding = (role: string, group: string) => ({
    metadata: { name: `auto-${role}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
  })
  const prefix = 'system:certificates.k8s.io:certificatesigningrequests'
  for (const body of [
    binding('system:node-bootstrapper', 'system:bootstrappers:joining'),
    binding(`${prefix}:nodeclient`, 'system:bootstrappers:joining'),
    binding(`${prefix}:selfnodeclient`, 'system:nodes'),
  ]) {
    const reply = await server.fetch('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { method: 'POST', body })
    t.is(reply.code, 201, reply.text)
  }
  const usages = ['digital signature', 'client auth']
  const wish = { commonName: 'system:node:n1', organizations: ['system:nodes'], signerName: KUBELET, usages }
  const joining = { as: 'system:bootstrap:abcdef', groups: ['system:bootstrappers:joining', 'system:authenticated'] }
  t.is((await ask(server, 'join', wish, joining)).reply.code, 201)
  const joined = await settled(server, 'join')
  t.like(joined.status.conditions[0], {
    type: 'Approved',
    reason: 'AutoApproved',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  })
  t.is(certificateOf(joined).subject, 'O=system:nodes\nCN=system:node:n1')

  const node = { as: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
  t.is((await ask(server, 'renew', wish, node)).reply.code, 201)
  const renewed = await settled(server, 'renew')
  t.is(
    renewed.status.conditions[0].message,
    'Auto approving self kubelet client certificate after SubjectAccessReview.',
  )
  const other = await ask(server, 'other', { ...wish, commonName: 'system:node:n2' }, node)
  t.is(other.reply.code, 403)
  t.regex(other.reply.json.message, /can only create a node CSR with CN=system:node:n1$/)
})

test('who may write /approval or /status may not yet approve, sign, or become master', async t => {
  const server = await startApiserver(t)
  const rules = [
    { apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'], verbs: ['create', 'get'] },
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests/approval', 'certificatesigningrequests/status'],
      verbs: ['update'],
    },
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['signers'],
      verbs: ['approve'],
      resourceNames: ['example.com/*'],
    },
  ]
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  await server.fetch(`${rbac}/clusterroles`, { method: 'POST', body: { metadata: { name: 'half' }, rules } })
  await server.fetch(`${rbac}/clusterrolebindings`, {
    method: 'POST',
    body: {
      metadata: { name: 'half' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'half' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'mallory' }],
    },
  })
  const mallory = { as: 'mallory', groups: ['system:authenticated'] }
  const usages = ['client auth']
  const { reply } = await ask(server, 'c', { commonName: 'admin', signerName: CLIENT, usages }, mallory)
  t.is(reply.json.spec.username, 'mallory')
  const approval = await decide(server, 'c', 'Approved', mallory)
  t.is(approval.code, 403)
  t.is(
    approval.json.message,
    'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
  )
  const status = {
    certificate: Buffer.from('-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n').toString('base64'),
  }
  const signed = await server.fetch(`${REQUESTS}/c/status`, {
    method: 'PUT',
    body: { ...reply.json, status },
    ...mallory,
  })
  t.is(signed.code, 403)
  t.regex(signed.json.message, /user not permitted to sign requests with signerName/)
  t.is(
    (await ask(server, 'mine', { commonName: 'x', signerName: 'example.com/mine', usages }, mallory)).reply.code,
    201,
  )
  t.is((await decide(server, 'mine', 'Approved', mallory)).code, 200, 'by the whole domain')
  const master = await ask(server, 'm', {
    commonName: 'x',
    organizations: ['system:masters'],
    signerName: CLIENT,
    usages,
  })
  t.is(master.reply.code, 403)
  t.regex(master.reply.json.message, /signer with system:masters group is not allowed$/)
  const forged = await server.fetch(REQUESTS, {
    method: 'POST',
    body: { metadata: { name: 'forged' }, spec: { ...reply.json.spec, username: 'admin', groups: ['system:masters'] } },
    ...mallory,
  })
  t.like(forged.json.spec, { username: 'mallory', groups: ['system:authenticated'] })
})

test('what was decided stays decided', async t => {
  const server = await startApiserver(t)
  await ask(server, 'c', { commonName: 'c', signerName: CLIENT, usages: ['client auth'] })
  t.is((await decide(server, 'c', 'Denied')).code, 200)
  const messages = (reply: { json: { details: { causes: { field: string; message: string }[] } } }) =>
    reply.json.details.causes.map(({ field, message }) => `${field}: ${message}`)
  t.deepEqual(messages(await decide(server, 'c', 'Approved')), [
    'status.conditions[1].type: Invalid value: "Approved": Approved and Denied conditions are mutually exclusive',
  ])
  const { json } = await server.fetch(`${REQUESTS}/c`)
  const put = (subresource: string, conditions: unknown[]) =>
    server.fetch(`${REQUESTS}/c/${subresource}`, { method: 'PUT', body: { ...json, status: { conditions } } })
  t.deepEqual(messages(await put('approval', [])), [
    'status.conditions: Forbidden: updates may not remove a condition of type "Denied"',
  ])
  const other = { type: 'Approved', status: 'True' }
  t.true(
    messages(await put('status', [other])).includes(
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    ),
  )
  const reworded = await put('status', [{ ...json.status.conditions[0], message: 'changed' }])
  t.is(reworded.json.status.conditions[0].message, json.status.conditions[0].message)
})
