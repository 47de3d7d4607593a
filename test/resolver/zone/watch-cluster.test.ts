/** The plugin against a real apiserver: the way in, the lists, and changes that are in the next answer. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { systemClock } from '#lib/clock.ts'
import { createRegistry } from '#lib/metrics.ts'
import type { Configuration } from '#resolver/configuration.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aData } from '#resolver/wire/rdata.ts'
import { startApiserver } from '../../support/apiserver.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const addressesOf = async (configuration: Configuration, name: string): Promise<readonly string[]> => {
  const reply = await ask(configuration, name)
  return (reply?.answers ?? []).filter(({ type }) => type === recordTypes.A).map(({ data }) => aData.decode(data))
}

/** Waits for the thing itself: the watch brings it, nothing is polled on the way. */
const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + 60_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('it did not come about within 60 s')
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('by kubeconfig: ready after the first lists, with the selectors of the directive, and in step', async t => {
  const api = await startApiserver(t)
  const registry = createRegistry()
  const world = { ...testWorld({ registry }), clock: systemClock }
  const text = `cluster.local:53 {
    kubernetes {
      kubeconfig ${api.programs.dns}
      labels tier=edge
      pods verified
    }
  }`
  const configuration = configure(text, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const [plugin] = configuration.plugins
  await until(() => plugin?.ready?.() ?? false)

  const post = async (path: string, body: object) => {
    const { code, text: problem } = await api.fetch(path, { method: 'POST', body })
    t.is(code, 201, problem)
  }
  const web = (name: string, labels: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { clusterIP: '10.96.7.7', ports: [{ name: 'http', port: 80 }] },
  })
  await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  await post('/api/v1/namespaces/shop/services', web('web', { tier: 'edge' }))
  await until(async () => (await addressesOf(configuration, 'web.shop.svc.cluster.local.')).includes('10.96.7.7'))
  t.is((await ask(configuration, 'kubernetes.default.svc.cluster.local.'))?.rcode, rcodes.NXDOMAIN, 'no such label')

  const deleted = await api.fetch('/api/v1/namespaces/shop/services/web', { method: 'DELETE' })
  t.is(deleted.code, 200)
  await until(async () => (await ask(configuration, 'web.shop.svc.cluster.local.'))?.rcode === rcodes.NXDOMAIN)

  const metrics = await registry.metrics()
  t.regex(
    metrics,
    /coredns_kubernetes_rest_client_requests_total\{code="200",method="GET",host="127\.0\.0\.1:\d+"\} \d+/,
  )
})

test('by endpoint and certificate files, relative to the Corefile', async t => {
  const api = await startApiserver(t)
  const folder = temporaryFolder(t)
  for (const [name, pem] of Object.entries(api.tls)) writeFileSync(join(folder, `${name}.pem`), pem)
  const text = `cluster.local:53 {\n kubernetes {\n endpoint ${api.url}\n tls cert.pem key.pem ca.pem\n }\n}`
  const configuration = configure(text, { ...testWorld(), clock: systemClock }, folder)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  await until(() => configuration.plugins[0]?.ready?.() ?? false)
  t.deepEqual(await addressesOf(configuration, 'kubernetes.default.svc.cluster.local.'), ['10.96.0.1'])
})

test('an apiserver that is away leaves the plugin serving, not ready', async t => {
  const text = 'cluster.local:53 {\n kubernetes {\n endpoint http://127.0.0.1:1\n }\n}'
  const configuration = configure(text, { ...testWorld(), clock: systemClock })
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  t.is((await ask(configuration, 'web.shop.svc.cluster.local.'))?.rcode, rcodes.SERVFAIL)
  t.is((await ask(configuration, 'dns-version.cluster.local.', { type: recordTypes.TXT }))?.rcode, rcodes.NOERROR)
  t.false(configuration.plugins[0]?.ready?.())
})
