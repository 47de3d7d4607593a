import test from 'ava'
import { type Ask, ask, configure, testWorld } from '../../support/dns-environment.ts'
import { staticSource } from '../../support/static-cluster.ts'

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
  await configuration.start(AbortSignal.timeout(5000))
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
