/** Claims and Ingresses that name no class, and what claims take of limits and quotas. */
import test from 'ava'
import { startWorld, type World } from './world.ts'

const D = '/api/v1/namespaces/default'
const CLAIMS = `${D}/persistentvolumeclaims`

const create = (world: World, path: string, body: object) => world.server.fetch(path, { method: 'POST', body })

const claim = (name: string, storage: string, spec: object = {}) => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
})

const storageClass = (name: string, annotations: object = {}) => ({
  metadata: { name, annotations },
  provisioner: 'example.com/disk',
})

test('a claim that names no class is for the default one, the newest of several', async t => {
  const world = await startWorld(t)
  const classes = '/apis/storage.k8s.io/v1/storageclasses'
  const classOf = async (name: string, spec: object = {}) =>
    (await create(world, CLAIMS, claim(name, '1Gi', spec))).json.spec.storageClassName
  await world.make(t, classes, storageClass('slow'))
  t.is(await classOf('a'), undefined)
  await world.make(t, classes, storageClass('fast', { 'storageclass.kubernetes.io/is-default-class': 'true' }))
  t.is(await classOf('b'), 'fast')
  t.is(await classOf('c', { storageClassName: 'slow' }), 'slow')
  t.is(await classOf('d', { storageClassName: '' }), '')
})

test('an Ingress that names no class is for the default one', async t => {
  const world = await startWorld(t)
  const group = '/apis/networking.k8s.io/v1'
  await world.make(t, `${group}/ingressclasses`, {
    metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: 'example.com/nginx' },
  })
  const backend = { service: { name: 's', port: { number: 80 } } }
  const classOf = async (name: string, metadata: object = {}, spec: object = {}) => {
    const body = { metadata: { name, ...metadata }, spec: { defaultBackend: backend, ...spec } }
    const { json } = await create(world, `${group}/namespaces/default/ingresses`, body)
    return json.spec.ingressClassName
  }
  t.is(await classOf('a'), 'nginx')
  t.is(await classOf('b', {}, { ingressClassName: 'other' }), 'other')
  t.is(await classOf('c', { annotations: { 'kubernetes.io/ingress.class': 'old' } }), undefined)
})

test('claims keep to limits and quotas, each class to its own', async t => {
  const world = await startWorld(t)
  await world.make(t, `${D}/limitranges`, {
    metadata: { name: 'l' },
    spec: { limits: [{ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } }] },
  })
  const hard = {
    persistentvolumeclaims: '3',
    'requests.storage': '20Gi',
    'gold.storageclass.storage.k8s.io/requests.storage': '5Gi',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
  }
  await world.make(t, `${D}/resourcequotas`, { metadata: { name: 'q' }, spec: { hard } })
  const refusal = async (body: object) => (await create(world, CLAIMS, body)).json.message
  t.is(
    await refusal(claim('x', '11Gi')),
    'persistentvolumeclaims "x" is forbidden: maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 11Gi',
  )
  t.is(
    await refusal(claim('x', '512Mi')),
    'persistentvolumeclaims "x" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi',
  )
  await world.make(t, CLAIMS, claim('a', '4Gi', { storageClassName: 'gold' }))
  t.regex(
    await refusal(claim('x', '2Gi', { storageClassName: 'gold' })),
    /exceeded quota: q, requested: gold\.storageclass\.storage\.k8s\.io\/persistentvolumeclaims=1,gold\.storageclass\.storage\.k8s\.io\/requests\.storage=2Gi, used: .*=4Gi, limited: .*=5Gi$/,
  )
  await world.make(t, CLAIMS, claim('b', '10Gi'))
  t.regex(
    await refusal(claim('x', '10Gi')),
    /exceeded quota: q, requested: requests\.storage=10Gi, used: requests\.storage=14Gi/,
  )
  const { json } = await world.server.fetch(`${D}/resourcequotas/q`)
  t.deepEqual(json.status.used, {
    persistentvolumeclaims: '2',
    'requests.storage': '14Gi',
    'gold.storageclass.storage.k8s.io/requests.storage': '4Gi',
    'gold.storageclass.storage.k8s.io/persistentvolumeclaims': '1',
  })
})
