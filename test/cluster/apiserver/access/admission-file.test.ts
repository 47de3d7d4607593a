/** The file of --admission-control-config-file: defaults and exemptions of PodSecurity, and nothing that is passed over. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import { readAdmissionFile } from '#cluster/apiserver/admission-file.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const ROOT = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration' }
const POD_SECURITY = { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration' }

const write = (t: ExecutionContext, content: unknown): string => {
  const path = join(temporaryFolder(t), 'admission.yaml')
  writeFileSync(path, typeof content === 'string' ? content : stringify(content))
  return path
}

const told = (configuration: object) => ({
  ...ROOT,
  plugins: [{ name: 'PodSecurity', configuration: { ...POD_SECURITY, ...configuration } }],
})

const start = (t: ExecutionContext, content: unknown) =>
  startWorld(t, { options: { admissionControlConfigFile: write(t, content) } })

const space = async (t: ExecutionContext, world: World, name: string, labels: Record<string, string> = {}) => {
  const { code, headers, text } = await world.server.fetch(`${CORE}/namespaces`, {
    method: 'POST',
    body: {
      metadata: {
        name,
        labels: Object.fromEntries(
          Object.entries(labels).map(([mode, level]) => [`pod-security.kubernetes.io/${mode}`, level]),
        ),
      },
    },
  })
  t.is(code, 201, text)
  return headers.warning
}

const create = ({ server }: World, namespace: string, spec: object = {}, as?: string) =>
  server.fetch(`${CORE}/namespaces/${namespace}/pods?dryRun=All`, {
    method: 'POST',
    body: { metadata: { name: 'p' }, spec: { ...pod('p').spec, ...spec } },
    ...(as === undefined ? {} : { as, groups: ['system:masters'] }),
  })

const HOST = { hostNetwork: true }

test('defaults are asked where labels say nothing, each mode and version by itself', async t => {
  const world = await start(
    t,
    told({ defaults: { enforce: 'baseline', 'enforce-version': 'v1.30', warn: 'restricted', audit: 'restricted' } }),
  )
  await space(t, world, 'plain')
  const refused = await create(world, 'plain', HOST)
  t.is(refused.code, 403)
  t.regex(refused.json.message, /violates PodSecurity "baseline:v1\.30": host namespaces/)
  const warned = await create(world, 'plain')
  t.is(warned.code, 201)
  t.regex(String(warned.headers.warning), /would violate PodSecurity \\"restricted:latest\\"/)
  await space(t, world, 'open', { enforce: 'privileged', warn: 'privileged' })
  const free = await create(world, 'open', HOST)
  t.is(free.code, 201)
  t.is(free.headers.warning, undefined)
  await space(t, world, 'pinned', { enforce: 'restricted' })
  t.regex((await create(world, 'pinned')).json.message, /violates PodSecurity "restricted:v1\.30"/)
})

test('users, namespaces and runtime classes are exempt, from warnings and templates too', async t => {
  const world = await start(
    t,
    told({
      defaults: { enforce: 'baseline', warn: 'restricted' },
      exemptions: { usernames: ['ann'], namespaces: ['free'], runtimeClasses: ['vm'] },
    }),
  )
  await world.make(t, '/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'vm' }, handler: 'vm' })
  await world.make(t, '/apis/node.k8s.io/v1/runtimeclasses', { metadata: { name: 'runc' }, handler: 'runc' })
  await space(t, world, 'bound')
  await space(t, world, 'free')
  const let_in = [
    await create(world, 'bound', HOST, 'ann'),
    await create(world, 'free', HOST),
    await create(world, 'bound', { ...HOST, runtimeClassName: 'vm' }),
  ]
  for (const { code, headers, text } of let_in) {
    t.is(code, 201, text)
    t.is(headers.warning, undefined)
  }
  t.is((await create(world, 'bound', HOST)).code, 403)
  t.is((await create(world, 'bound', HOST, 'bob')).code, 403)
  t.is((await create(world, 'bound', { ...HOST, runtimeClassName: 'runc' })).code, 403)
  const deploy = async (namespace: string, spec: object, as = 'bob') => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { ...pod('p').spec, ...spec } }
    const { code, headers, text } = await world.server.fetch(
      `/apis/apps/v1/namespaces/${namespace}/deployments?dryRun=All`,
      {
        method: 'POST',
        body: { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } },
        as,
        groups: ['system:masters'],
      },
    )
    t.is(code, 201, text)
    return headers.warning
  }
  t.regex(String(await deploy('bound', {})), /would violate/)
  t.is(await deploy('bound', {}, 'ann'), undefined)
  t.is(await deploy('free', {}), undefined)
  t.is(await deploy('bound', { runtimeClassName: 'vm' }), undefined)
})

test('whoever labels a namespace that is exempt is told that it does not count', async t => {
  const world = await start(t, told({ exemptions: { namespaces: ['free', 'late'], runtimeClasses: ['vm'] } }))
  const ignored = (name: string, policy: string) =>
    `299 - "namespace \\"${name}\\" is exempt from Pod Security, and the policy (${policy}) will be ignored"`
  t.is(
    await space(t, world, 'free', { enforce: 'baseline', warn: 'restricted', audit: 'privileged' }),
    ignored('free', 'enforce=baseline:latest, warn=restricted:latest'),
  )
  t.is(await space(t, world, 'late', { enforce: 'privileged' }), undefined)
  await world.make(t, `${CORE}/namespaces/late/pods`, { metadata: { name: 'p' }, spec: { ...pod('p').spec, ...HOST } })
  const label = async (name: string, enforce: string) => {
    const { code, headers, text } = await world.server.fetch(`${CORE}/namespaces/${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': enforce } } },
    })
    t.is(code, 200, text)
    return headers.warning
  }
  // Without a word of the Pods that are there.
  t.is(await label('late', 'baseline'), ignored('late', 'enforce=baseline:latest'))
  t.is(await label('late', 'privileged'), undefined)
})

test('what is told may stand in a file of its own, beside the first', async t => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'plugins'))
  writeFileSync(
    join(folder, 'plugins/pod-security.yaml'),
    JSON.stringify({ ...POD_SECURITY, defaults: { enforce: 'baseline' } }),
  )
  const file = join(folder, 'admission.yaml')
  writeFileSync(file, stringify({ ...ROOT, plugins: [{ name: 'PodSecurity', path: 'plugins/pod-security.yaml' }] }))
  const world = await startWorld(t, { options: { admissionControlConfigFile: file } })
  await space(t, world, 'plain')
  t.is((await create(world, 'plain', HOST)).code, 403)
  t.is((await create(world, 'plain')).code, 201)
})

test('a file that says nothing changes nothing', async t => {
  const quiet = { ...ROOT, plugins: [{ name: 'PodSecurity' }, { name: 'NamespaceLifecycle' }] }
  for (const content of [ROOT, quiet, told({}), told({ defaults: null, exemptions: { usernames: null } })])
    t.deepEqual(readAdmissionFile(write(t, content)).podSecurity, readAdmissionFile('').podSecurity)
  const world = await start(t, quiet)
  await space(t, world, 'plain')
  t.is((await create(world, 'plain', HOST)).code, 201)
})

const quotas = (configuration: object, apiVersion = 'apiserver.config.k8s.io/v1') => ({
  ...ROOT,
  plugins: [
    { name: 'ResourceQuota', configuration: { apiVersion, kind: 'ResourceQuotaConfiguration', ...configuration } },
  ],
})

const WRONG: readonly (readonly [content: unknown, problem: RegExp])[] = [
  ['a: [', /admission\.yaml: .*flow/i],
  ['- 1', /must be an AdmissionConfiguration/],
  [{ ...ROOT, apiVersion: 'v1' }, /apiVersion: Unsupported value: "v1": supported values: "apiserver\.config/],
  [{ ...ROOT, kind: 'Config' }, /kind: Unsupported value: "Config"/],
  [{ ...ROOT, plugin: [] }, /plugin: unknown field; there are apiVersion, kind, plugins/],
  [{ ...ROOT, plugins: {} }, /plugins: Invalid value/],
  [{ ...ROOT, plugins: [{}] }, /plugins\[0\]\.name: Required value/],
  [
    { ...ROOT, plugins: [{ name: 'LimitRanger', configuration: { limits: [] } }] },
    /plugins\[0\]: Forbidden: LimitRanger takes no configuration here; PodSecurity, ResourceQuota, Mutating/,
  ],
  [{ ...ROOT, plugins: [{ name: 'ValidatingAdmissionWebhook', path: 'webhooks.yaml' }] }, /webhooks\.yaml: ENOENT/],
  [quotas({}, 'v1'), /plugins\[0\]\.configuration\.apiVersion: Unsupported value: "v1"/],
  [
    quotas({ kind: 'Configuration' }),
    /configuration\.kind: Unsupported value: "Configuration": supported values: "Resource/,
  ],
  [quotas({ limited: [] }), /configuration\.limited: unknown field; there are apiVersion, kind, limitedResources/],
  [quotas({ limitedResources: {} }), /configuration\.limitedResources: Invalid value/],
  [quotas({ limitedResources: [{}] }), /limitedResources\[0\]\.resource: Required value/],
  [quotas({ limitedResources: [{ resource: 'pods', matchContains: 'x' }] }), /\[0\]\.matchContains: .*must be a list/],
  [
    quotas({ limitedResources: [{ resource: 'pods', matchScopes: [{ scopeName: 'Wide', operator: 'Exists' }] }] }),
    /matchScopes\[0\]\.scopeName: Invalid value: "Wide": unsupported scope/,
  ],
  [
    quotas({ limitedResources: [{ resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In' }] }] }),
    /matchScopes\[0\]\.values: Required value/,
  ],
  [{ ...ROOT, plugins: [{ name: 'PodSecurity' }, { name: 'PodSecurity' }] }, /plugins\[1\]\.name: Duplicate value/],
  [
    { ...ROOT, plugins: [{ name: 'PodSecurity', path: 'x', configuration: POD_SECURITY }] },
    /plugins\[0\]\.path: Forbidden/,
  ],
  [{ ...ROOT, plugins: [{ name: 'PodSecurity', path: 'nowhere.yaml' }] }, /nowhere\.yaml: ENOENT/],
  [told({ kind: 'X' }), /plugins\[0\]\.configuration\.kind: Unsupported value: "X"/],
  [
    told({ defaults: { enforce: 'strict' } }),
    /plugins\[0\]\.configuration\.defaults\.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted/,
  ],
  [told({ defaults: { 'warn-version': '1.30' } }), /defaults\.warn-version: Invalid value: "1\.30": must be "latest"/],
  [told({ defaults: { enforceVersion: 'latest' } }), /defaults\.enforceVersion: unknown field/],
  [told({ exemptions: { namespaces: ['A'] } }), /exemptions\.namespaces\[0\]: Invalid value: "A"/],
  [told({ exemptions: { usernames: ['a', 'a'] } }), /exemptions\.usernames\[1\]: Duplicate value: "a"/],
  [told({ exemptions: { usernames: ['', 7] } }), /usernames\[0\]: Required value\n.*usernames\[1\]: Invalid value: 7/],
  [told({ exemptions: { runtimeClasses: 'vm' } }), /exemptions\.runtimeClasses: Invalid value: "vm": must be a list/],
]

test('what is wrong, or nobody takes, ends the start with the file and the field', async t => {
  for (const [content, message] of WRONG) {
    const { message: told = '' } = t.throws(() => readAdmissionFile(write(t, content)), { code: 'BAD_OPTION' }) ?? {}
    t.regex(told, message)
    t.regex(told, /^--admission-control-config-file: /)
  }
  const unknown = start(t, { ...ROOT, plugins: [{ name: 'EventRateLimit' }] })
  await t.throwsAsync(unknown, { message: /^--admission-control-config-file: "EventRateLimit" is none of .*Priority/ })
  const missing = startWorld(t, { options: { admissionControlConfigFile: '/nowhere/a.yaml' } })
  await t.throwsAsync(missing, { message: /^--admission-control-config-file: \/nowhere\/a\.yaml: ENOENT/ })
})
