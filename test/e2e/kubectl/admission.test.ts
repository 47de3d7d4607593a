/** Limits, quotas, priorities, webhooks and policies as people set and meet them. */
import test from 'ava'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'
import { patchOf, type Review, startWebhookServer } from '../../support/webhook-server.ts'

const cluster = kubectlCluster(test)

const POD = (name: string, more = '') => `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  ${more}
  containers: [{ name: c, image: i }]
`

test.serial('a quota is made, shown, described, and holds', async t => {
  const run = (...args: string[]) => cluster.run(t, [...args, '-n', 'small'])
  await cluster.run(t, ['create', 'namespace', 'small'])
  t.is(await run('create', 'quota', 'q', '--hard=count/configmaps=2,pods=1,limits.cpu=1'), 'resourcequota/q created')
  await run('wait', 'quota/q', '--for=jsonpath={.status.used.pods}=0', '--timeout=60s')
  t.regex(
    await run('get', 'quota', 'q', '--no-headers'),
    /^q +count\/configmaps: \d\/2, pods: 0\/1 +limits\.cpu: 0\/1 +\S+$/,
  )
  t.regex(await run('describe', 'quota', 'q'), /limits\.cpu +0 +1/)
  const silent = await cluster.attempt(['apply', '-n', 'small', '-f', '-'], { input: POD('p') })
  t.regex(
    silent.stderr,
    /Error from server \(Forbidden\): error when creating "STDIN": pods "p" is forbidden: failed quota: q: must specify limits\.cpu for: c/,
  )
  const limits = `apiVersion: v1
kind: LimitRange
metadata: { name: l }
spec: { limits: [{ type: Container, default: { cpu: 600m } }] }
`
  await cluster.run(t, ['apply', '-n', 'small', '-f', '-'], { input: limits })
  t.regex(await run('describe', 'limits', 'l'), /Container +cpu +- +- +600m +600m/)
  await cluster.run(t, ['apply', '-n', 'small', '-f', '-'], { input: POD('p') })
  const second = await cluster.attempt(['apply', '-n', 'small', '-f', '-'], { input: POD('q') })
  t.regex(
    second.stderr,
    /pods "q" is forbidden: exceeded quota: q, requested: limits\.cpu=600m,pods=1, used: limits\.cpu=600m,pods=1, limited: limits\.cpu=1,pods=1/,
  )
  await run('delete', 'pod', 'p', '--force', '--grace-period=0')
  await cluster.run(t, ['apply', '-n', 'small', '-f', '-'], { input: POD('q') })
  const scoped = await cluster.attempt(['create', 'quota', 'wrong', '--hard=services=1', '--scopes=BestEffort'])
  t.regex(scoped.stderr, /unsupported scope applied to resource/)
})

test.serial('a priority class is made by a command, and Pods have it', async t => {
  await cluster.run(t, ['create', 'priorityclass', 'urgent', '--value=1000', '--description=first'])
  await cluster.run(t, ['apply', '-f', '-'], { input: POD('urgent', 'priorityClassName: urgent') })
  t.is(await cluster.run(t, ['get', 'pod', 'urgent', '-o', 'jsonpath={.spec.priority}']), '1000')
  t.regex(await cluster.run(t, ['get', 'pc', '--no-headers']), /^system-node-critical +2000001000 +false/m)
})

test.serial('webhooks change and refuse, and can always be taken away', async t => {
  const server = await startWebhookServer(t, ({ object }: Review, path) => {
    if (path === '/label') return patchOf({ op: 'add', path: '/metadata/labels', value: { seen: 'yes' } })
    return object?.data?.bad
      ? { allowed: false, status: { message: 'bad data', code: 403, reason: 'Forbidden' } }
      : { allowed: true }
  })
  const webhook = (kind: string, path: string) => `apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}
metadata: { name: e2e }
webhooks:
  - name: e2e.example.com
    clientConfig: { url: "${server.config(path).url}", caBundle: ${server.caBundle} }
    rules: [{ operations: [CREATE, UPDATE], apiGroups: [""], apiVersions: [v1], resources: [configmaps] }]
    namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: default } }
    sideEffects: None
    admissionReviewVersions: [v1]
`
  const input = `${webhook('MutatingWebhookConfiguration', '/label')}---\n${webhook('ValidatingWebhookConfiguration', '/check')}`
  await cluster.run(t, ['apply', '-f', '-'], { input })
  t.regex(await cluster.run(t, ['get', 'mutatingwebhookconfigurations', '--no-headers']), /^e2e +1 +\S+$/)
  await cluster.run(t, ['create', 'configmap', 'good', '--from-literal=a=1'])
  t.is(await cluster.run(t, ['get', 'configmap', 'good', '-o', 'jsonpath={.metadata.labels.seen}']), 'yes')
  const refused = await cluster.attempt(['create', 'configmap', 'x', '--from-literal=bad=1'])
  t.is(
    refused.stderr.trim(),
    'error: failed to create configmap: admission webhook "e2e.example.com" denied the request: bad data',
  )
  t.is((await cluster.attempt(['create', 'configmap', 'x', '--from-literal=a=1', '--dry-run=server'])).code, 0)
  await cluster.run(t, ['delete', 'mutatingwebhookconfigurations,validatingwebhookconfigurations', 'e2e'])
  await cluster.run(t, ['create', 'configmap', 'x', '--from-literal=bad=1'])
})

const POLICY = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: replicas.example.com }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments] }
  validations:
    - expression: object.spec.replicas <= 3
      messageExpression: "'at most 3 replicas, not ' + string(object.spec.replicas)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: replicas }
spec: { policyName: replicas.example.com, validationActions: [Deny] }
`

test.serial('a policy holds for what its binding says', async t => {
  await cluster.run(t, ['apply', '-f', '-'], { input: POLICY })
  t.regex(
    await cluster.run(t, ['get', 'validatingadmissionpolicies', '--no-headers']),
    /^replicas\.example\.com +1 +<unset> +\S+$/,
  )
  const refused = await cluster.attempt(['create', 'deployment', 'd', '--image=i', '--replicas=5'])
  t.is(
    refused.stderr.trim(),
    `error: failed to create deployment: deployments.apps "d" is forbidden: ValidatingAdmissionPolicy 'replicas.example.com' with binding 'replicas' denied request: at most 3 replicas, not 5`,
  )
  t.is(await cluster.run(t, ['create', 'deployment', 'd', '--image=i', '--replicas=3']), 'deployment.apps/d created')
})
