import test from 'ava'
import { startApiserver } from '../../support/apiserver.ts'

const PATH = '/api/v1/componentstatuses'

test('a part says how it is at the moment, to those who may read it', async t => {
  const { fetch, store } = await startApiserver(t)
  const healthy = [{ type: 'Healthy', status: 'True', message: 'ok' }]
  for (const query of ['', '?watch=0', '?fieldSelector=metadata.name%3Detcd-0']) {
    const { json, headers } = await fetch(`${PATH}${query}`)
    t.is(json.kind, 'ComponentStatusList', query)
    t.deepEqual(json.items[0].conditions, healthy)
    t.regex(String(headers.warning), /deprecated/)
  }
  t.deepEqual((await fetch(`${PATH}?labelSelector=a%3Db`)).json.items, [])
  t.deepEqual((await fetch(`${PATH}/etcd-0`)).json.conditions, healthy)
  t.is((await fetch(`${PATH}/constructor`)).code, 404)
  for (const [path, code] of [
    [`${PATH}?watch=1`, 405],
    ['/api/v1/watch/componentstatuses', 405],
    [`${PATH}/etcd-0/status`, 404],
  ] as const)
    t.is((await fetch(path)).code, code, path)
  t.is((await fetch(PATH, { method: 'POST', body: {} })).code, 405)
  t.is((await fetch(PATH, { as: 'somebody' })).code, 403)
  await store.close()
  const [condition] = (await fetch(`${PATH}/etcd-0`)).json.conditions
  t.is(condition.status, 'False')
  t.truthy(condition.error)
})
