import test from 'ava'
import { startWorld } from './world.ts'

const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
const MERGE = { 'content-type': 'application/merge-patch+json' }

test('a claim grows when it is bound, and its class says that it may', async t => {
  const world = await startWorld(t)
  const { fetch } = world.server
  for (const [name, allowVolumeExpansion] of [
    ['elastic', true],
    ['stiff', false],
  ]) {
    const body = { metadata: { name }, provisioner: 'p', allowVolumeExpansion }
    await world.make(t, '/apis/storage.k8s.io/v1/storageclasses', body)
  }
  const make = async (name: string, storageClassName: string, phase: string) => {
    const spec = { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } }
    await world.make(t, CLAIMS, { metadata: { name }, spec })
    const body = { status: { phase } }
    t.is((await fetch(`${CLAIMS}/${name}/status`, { method: 'PATCH', headers: MERGE, body })).code, 200)
  }
  const grow = (name: string) => {
    const body = { spec: { resources: { requests: { storage: '2Gi' } } } }
    return fetch(`${CLAIMS}/${name}`, { method: 'PATCH', headers: MERGE, body })
  }
  await make('good', 'elastic', 'Bound')
  await make('stiff', 'stiff', 'Bound')
  await make('none', '', 'Bound')
  t.is((await grow('good')).code, 200)
  for (const name of ['stiff', 'none']) {
    const { code, json } = await grow(name)
    t.is(code, 403)
    t.regex(
      json.message,
      /only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc/,
    )
  }
  const body = { metadata: { labels: { a: 'b' } } }
  t.is((await fetch(`${CLAIMS}/stiff`, { method: 'PATCH', headers: MERGE, body })).code, 200)
})
