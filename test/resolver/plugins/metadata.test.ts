import test from 'ava'
import { type Ask, ask, configure, testWorld } from '../../support/dns-environment.ts'
import { type Manifest, staticSource } from '../../support/static-cluster.ts'

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'client', namespace: 'shop', uid: 'u1' },
  spec: {},
  status: { podIP: '192.0.2.7', podIPs: [{ ip: '192.0.2.7' }], phase: 'Running' },
}

const lineOf = async (metadata: string, name: string, question: Ask = {}) => {
  const world = testWorld({ cluster: staticSource([pod], true) })
  const format = '"{/kubernetes/client-pod-name} {/kubernetes/service} {/kubernetes/namespace}"'
  const plugins = `kubernetes cluster.local {\n pods verified\n fallthrough\n }\n hosts /nowhere {\n 192.0.2.1 a.example.org\n fallthrough\n }`
  const configuration = configure(`. {\n ${metadata}\n log . ${format}\n local\n ${plugins}\n}`, world)
  await configuration.start(AbortSignal.timeout(60_000))
  await ask(configuration, name, question)
  await configuration.close()
  return world.lines[0]
}

test('who asks and for what, before any plugin answers', async t => {
  t.is(await lineOf('metadata', 'web.shop.svc.cluster.local.'), '[INFO] client web shop')
  t.is(await lineOf('metadata', 'a.example.org.'), '[INFO] client - -')
  t.is(await lineOf('metadata', 'localhost.'), '[INFO] client - -')
  t.is(await lineOf('metadata', 'a.example.org.', { client: '192.0.2.8' }), '[INFO] - - -')
})

test('for the zones that it names; without it kubernetes tells of its own names alone', async t => {
  t.is(await lineOf('metadata example.net', 'a.example.org.'), '[INFO] - - -')
  t.is(await lineOf('metadata example.org', 'a.example.org.'), '[INFO] client - -')
  t.is(await lineOf('', 'web.shop.svc.cluster.local.'), '[INFO] client web shop')
  t.is(await lineOf('', 'a.example.org.'), '[INFO] - - -')
})

const shown = async (manifest: Manifest, corefile: string): Promise<string | undefined> => {
  const world = testWorld({ cluster: staticSource([manifest], true) })
  const configuration = configure(corefile, world)
  await configuration.start(AbortSignal.timeout(60_000))
  await ask(configuration, 'web.shop.svc.cluster.local.')
  await configuration.close()
  return world.lines[0]
}

const LABELS =
  '. {\n metadata\n log . "{/kubernetes/client-pod-name} {/kubernetes/client-label/app.kubernetes.io/name} {/kubernetes/client-label/tier} {/kubernetes/client-label/none}"\n kubernetes cluster.local\n}'

test('labels of the pod that asks, those that are shown, without pods verified', async t => {
  const labels = { 'app.kubernetes.io/name': 'web', tier: 'edge', other: 'x' }
  t.is(await shown({ ...pod, metadata: { ...pod.metadata, labels } }, LABELS), '[INFO] client web edge -')
})

test('an address of the host’s network tells no pod from another', async t => {
  t.is(await shown({ ...pod, spec: { hostNetwork: true } }, LABELS), '[INFO] - - - -')
})

test('a pod has both of its addresses', async t => {
  const status = { phase: 'Running', podIP: 'fd00::7', podIPs: [{ ip: 'fd00::7' }, { ip: '192.0.2.7' }] }
  t.is(await shown({ ...pod, status }, LABELS), '[INFO] client - - -')
})
