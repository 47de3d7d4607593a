import test from 'ava'
import { startApiserver } from '../../support/apiserver.ts'

test('creates, reads, updates and deletes over HTTPS', async t => {
  const { fetch } = await startApiserver(t)
  t.is((await fetch('/version')).json.minor, '35')
  const path = '/api/v1/namespaces/default/configmaps'
  const created = await fetch(path, { method: 'POST', body: { metadata: { name: 'a' }, data: { x: '1' } } })
  t.is(created.code, 201, created.text)
  const got = await fetch(`${path}/a`)
  t.deepEqual(got.json, created.json)
  const list = await fetch(path)
  t.is(list.json.items.length, 1)
  t.is(list.json.kind, 'ConfigMapList')
  t.log(list.text)
  const updated = await fetch(`${path}/a`, { method: 'PUT', body: { ...created.json, data: { x: '2' } } })
  t.is(updated.code, 200, updated.text)
  const deleted = await fetch(`${path}/a`, { method: 'DELETE' })
  t.is(deleted.code, 200)
  t.is(deleted.json.status, 'Success')
  const service = await fetch('/api/v1/namespaces/default/services', {
    method: 'POST',
    body: { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } },
  })
  t.is(service.code, 201, service.text)
  t.log(service.text)
  const services = await fetch('/api/v1/services', {
    headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' },
  })
  t.log(services.text)
})
