/** A client that others wrote: @kubernetes/client-node's objects and informers. */
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node'
import test from 'ava'
import { startApiserver } from '../../support/apiserver.ts'

test('an informer sees what the typed client writes', async t => {
  const server = await startApiserver(t)
  const config = new KubeConfig()
  config.loadFromFile(server.kubeconfig)
  const api = config.makeApiClient(CoreV1Api)
  const informer = makeInformer<V1ConfigMap>(config, '/api/v1/namespaces/default/configmaps', () =>
    api.listNamespacedConfigMap({ namespace: 'default' }),
  )
  t.teardown(() => informer.stop())
  const seen: string[] = []
  let wake = () => {}
  for (const verb of ['add', 'update', 'delete'] as const) {
    informer.on(verb, object => {
      seen.push(`${verb} ${object.metadata?.name} ${object.data?.x}`)
      wake()
    })
  }
  const until = async (count: number) => {
    while (seen.length < count) await new Promise<void>(resolve => (wake = resolve))
  }
  await informer.start()
  const body = { metadata: { name: 'a' }, data: { x: '1' } }
  const made = await api.createNamespacedConfigMap({ namespace: 'default', body })
  await until(1)
  await api.replaceNamespacedConfigMap({ name: 'a', namespace: 'default', body: { ...made, data: { x: '2' } } })
  await until(2)
  await api.deleteNamespacedConfigMap({ name: 'a', namespace: 'default' })
  await until(3)
  t.deepEqual(seen, ['add a 1', 'update a 2', 'delete a 2'])
  t.is(informer.get('a', 'default'), undefined)
})
