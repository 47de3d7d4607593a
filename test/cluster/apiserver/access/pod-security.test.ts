/** Pod security beyond a single Pod: versions, debugging containers, templates, and namespaces whose level changes. */
import test from 'ava'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const MERGE = { 'content-type': 'application/merge-patch+json' }

type Spec = Record<string, unknown>

const context = (securityContext: Spec): Spec => ({ containers: [{ name: 'c', image: 'i', securityContext }] })

const HARD = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}

const space = async (t: Parameters<World['make']>[0], world: World, name: string, levels: Record<string, string>) => {
  const labels = Object.fromEntries(
    Object.entries(levels).map(([mode, level]) => [`pod-security.kubernetes.io/${mode}`, level]),
  )
  await world.make(t, `${CORE}/namespaces`, { metadata: { name, labels } })
}

/** What a level refused or let through before a version, and after it. */
const VERSIONS: readonly (readonly [level: string, spec: Spec, since: number, before: number, after: number])[] = [
  [
    'baseline',
    { containers: [{ name: 'c', image: 'i', lifecycle: { preStop: { httpGet: { port: 1, host: 'h' } } } }] },
    34,
    201,
    403,
  ],
  ['baseline', { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1 2 3' }] } }, 32, 403, 201],
  ['baseline', { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_fin_timeout', value: '1' }] } }, 29, 403, 201],
  [
    'baseline',
    { securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_reserved_ports', value: '1' }] } },
    27,
    403,
    201,
  ],
  ['baseline', { securityContext: { seLinuxOptions: { type: 'container_engine_t' } } }, 31, 403, 201],
  ['baseline', { hostUsers: false, ...context({ procMount: 'Unmasked' }) }, 35, 403, 201],
  ['baseline', { securityContext: { seccompProfile: { type: 'Unconfined' } } }, 19, 201, 403],
  ['restricted', context({ ...HARD, allowPrivilegeEscalation: undefined }), 8, 201, 403],
  ['restricted', context({ ...HARD, capabilities: undefined }), 22, 201, 403],
  ['restricted', context({ ...HARD, seccompProfile: undefined }), 19, 201, 403],
  ['restricted', context({ ...HARD, runAsUser: 0 }), 23, 201, 403],
  ['restricted', { hostUsers: false, ...context({ ...HARD, runAsNonRoot: undefined, runAsUser: 0 }) }, 35, 403, 201],
  ['restricted', { os: { name: 'windows' }, ...context({ runAsNonRoot: true }) }, 25, 403, 201],
]

test('a level is that of the version that a label pins', async t => {
  const world = await startWorld(t)
  for (const [index, [level, spec, since, before, after]] of VERSIONS.entries()) {
    for (const [minor, code] of [
      [since - 1, before],
      [since, after],
      [99, after],
    ] as const) {
      const name = `v${index}-${minor}`
      await space(t, world, name, { enforce: level, 'enforce-version': `v1.${minor}` })
      const body = { metadata: { name: 'p' }, spec: { ...pod('p').spec, ...spec } }
      const made = await world.server.fetch(`${CORE}/namespaces/${name}/pods?dryRun=All`, { method: 'POST', body })
      t.is(made.code, code, `${level} v1.${minor} ${JSON.stringify(spec)}: ${made.text}`)
      if (code === 403) t.true(made.json.message.includes(`violates PodSecurity "${level}:v1.${minor}"`))
    }
  }
})

test('nobody debugs a Pod by a container that the namespace would not have', async t => {
  const world = await startWorld(t)
  await space(t, world, 'baseline', { enforce: 'baseline' })
  await world.make(t, `${CORE}/namespaces/baseline/pods`, pod('p', 'n'))
  const add = (securityContext: Spec) =>
    world.server.fetch(`${CORE}/namespaces/baseline/pods/p/ephemeralcontainers`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
      body: { spec: { ephemeralContainers: [{ name: 'debug', image: 'i', securityContext }] } },
    })
  const refused = await add({ privileged: true })
  t.is(refused.code, 403, refused.text)
  t.regex(refused.json.message, /violates PodSecurity "baseline:latest": privileged \(container "debug" must not set/)
  t.is((await add({})).code, 200)
})

test('what makes Pods is warned of its template; a change of nothing that matters is not looked at', async t => {
  const world = await startWorld(t)
  await space(t, world, 'a', { enforce: 'baseline', warn: 'restricted' })
  await space(t, world, 'b', { enforce: 'baseline' })
  const template = (spec: Spec) => ({ metadata: { labels: { a: 'b' } }, spec: { ...pod('p').spec, ...spec } })
  const make = async (path: string, spec: Spec) => {
    const body = { metadata: { name: 'x' }, spec }
    const { code, headers, text } = await world.server.fetch(`${path}?dryRun=All`, { method: 'POST', body })
    t.is(code, 201, text)
    return String(headers.warning)
  }
  const deployment = (spec: Spec) => ({ selector: { matchLabels: { a: 'b' } }, template: template(spec) })
  t.regex(
    await make('/apis/apps/v1/namespaces/a/deployments', deployment({})),
    /would violate PodSecurity \\"restricted:latest\\"/,
  )
  t.regex(
    await make('/apis/apps/v1/namespaces/b/deployments', deployment({ hostPID: true })),
    /\\"baseline:latest\\": host namespaces/,
  )
  t.is(await make('/apis/apps/v1/namespaces/b/deployments', deployment({})), 'undefined')
  const job = { template: template({ restartPolicy: 'Never', hostIPC: true }) }
  t.regex(
    await make('/apis/batch/v1/namespaces/b/cronjobs', { schedule: '1 1 1 1 1', jobTemplate: { spec: job } }),
    /hostIPC=true/,
  )
})

test('a namespace that becomes stricter tells what is there already, and lets it be', async t => {
  const world = await startWorld(t)
  const { fetch } = world.server
  await space(t, world, 'a', {})
  for (const name of ['q', 'p'])
    await world.make(t, `${CORE}/namespaces/a/pods`, pod(name, undefined, { hostPID: true }))
  await world.make(t, `${CORE}/namespaces/a/pods`, pod('good', undefined, context(HARD)))
  const label = (labels: Spec) =>
    fetch(`${CORE}/namespaces/a`, { method: 'PATCH', headers: MERGE, body: { metadata: { labels } } })
  const { code, headers } = await label({ 'pod-security.kubernetes.io/enforce': 'baseline' })
  t.is(code, 200)
  const said = String(headers.warning)
  t.regex(said, /existing pods in namespace \\"a\\" violate the new PodSecurity enforce level \\"baseline:latest\\"/)
  t.regex(said, /p \(and 1 other pod\): host namespaces/)
  t.is((await label({ 'pod-security.kubernetes.io/enforce': 'baseline', x: 'y' })).headers.warning, undefined)
  const strategic = { 'content-type': 'application/strategic-merge-patch+json' }
  const patch = (body: Spec) => fetch(`${CORE}/namespaces/a/pods/p`, { method: 'PATCH', headers: strategic, body })
  t.is((await patch({ spec: { activeDeadlineSeconds: 60 } })).code, 200)
  t.is((await patch({ spec: { containers: [{ name: 'c', image: 'other' }] } })).code, 403)
})
