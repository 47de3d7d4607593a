/** The JavaScript client that others use: its informers must see in our apiserver what they see in Kubernetes. */
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node'
import test from 'ava'
import { startApiserver } from '../support/apiserver.ts'
import { eventually } from '../watcher/support/eventually.ts'

test('@kubernetes/client-node: list, watch and informer', async t => {
  const server = await startApiserver(t)
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(server.kubeconfig)
  const api = kubeconfig.makeApiClient(CoreV1Api)
  const namespace = 'default'
  const create = (name: string) =>
    api.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { n: '0' } } })
  await create('first')
  const informer = makeInformer(kubeconfig, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    api.listNamespacedConfigMap({ namespace }),
  )
  const seen: string[] = []
  const note = (what: string) => (object: V1ConfigMap) =>
    seen.push(`${what} ${object.metadata?.name} ${object.data?.n ?? ''}`.trim())
  informer.on('add', note('add'))
  informer.on('update', note('update'))
  informer.on('delete', note('delete'))
  const errors: unknown[] = []
  informer.on('error', error => errors.push(error))
  await informer.start()
  t.teardown(() => informer.stop())
  await eventually(() => seen.includes('add first 0'), 'the list')
  await create('second')
  const second = await api.readNamespacedConfigMap({ namespace, name: 'second' })
  await api.replaceNamespacedConfigMap({ namespace, name: 'second', body: { ...second, data: { n: '1' } } })
  await api.deleteNamespacedConfigMap({ namespace, name: 'second' })
  await eventually(() => seen.includes('delete second 1'), `the watch, not only ${seen}`)
  const own = seen.filter(line => line.includes('second'))
  t.deepEqual(own, ['add second 0', 'update second 1', 'delete second 1'])
  t.truthy(informer.get('first', namespace))
  t.is(informer.get('second', namespace), undefined)
  t.deepEqual(errors, [])
})
