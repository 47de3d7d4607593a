/** Server-side apply over HTTP, where it meets the rest of the API. */
import test from 'ava'
import { startApiserver } from '../../support/apiserver.ts'

const MERGE = { 'content-type': 'application/merge-patch+json' }

test('who scales owns the replicas, through the subresource, and an apply of another number conflicts', async t => {
  const { fetch } = await startApiserver(t)
  const deployments = '/apis/apps/v1/namespaces/default/deployments'
  const labels = { app: 'a' }
  const configuration = (replicas: number) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i:1' }] } },
    },
  })
  const apply = (replicas: number) =>
    fetch(`${deployments}/web?fieldManager=owner`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: configuration(replicas),
    })
  t.is((await apply(1)).code, 201)
  const scaled = { spec: { replicas: 3 } }
  const scale = await fetch(`${deployments}/web/scale?fieldManager=scaler`, {
    method: 'PATCH',
    headers: MERGE,
    body: scaled,
  })
  t.is(scale.code, 200, scale.text)
  const { managedFields } = (await fetch(`${deployments}/web`)).json.metadata
  t.like(managedFields.at(-1), {
    manager: 'scaler',
    operation: 'Update',
    apiVersion: 'apps/v1',
    subresource: 'scale',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  })
  const refused = await apply(1)
  t.is(refused.code, 409)
  const cause = 'conflict with "scaler" with subresource "scale" using apps/v1'
  t.deepEqual(refused.json.details.causes, [
    { reason: 'FieldManagerConflict', message: cause, field: '.spec.replicas' },
  ])
  t.is((await apply(3)).code, 200, 'what both want is shared')
})

test('a Scale is applied: its replicas are owned, taken by force, and shown as a table', async t => {
  const { fetch } = await startApiserver(t)
  const sets = '/apis/apps/v1/namespaces/default/replicasets'
  const labels = { app: 'a' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i:1' }] } }
  const spec = { replicas: 1, selector: { matchLabels: labels }, template }
  const apply = (manager: string, replicas: number, parameters = '', changes: object = {}) =>
    fetch(`${sets}/web/scale?fieldManager=${manager}${parameters}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'web' }, spec: { replicas }, ...changes },
    })
  t.is((await apply('one', 2)).code, 404, 'no Scale makes an object')
  await fetch(`${sets}?fieldManager=maker`, { method: 'POST', body: { metadata: { name: 'web' }, spec } })
  const refused = await apply('one', 2)
  t.is(refused.code, 409)
  t.deepEqual(
    refused.json.details.causes.map(({ field }: { field: string }) => field),
    ['.spec.replicas'],
  )
  const scaled = await apply('one', 2, '&force=true')
  t.is(scaled.code, 200, scaled.text)
  t.like(scaled.json, { kind: 'Scale', spec: { replicas: 2 } })
  const { metadata } = (await fetch(`${sets}/web`)).json
  t.is(metadata.generation, 2)
  const [own] = metadata.managedFields.filter(({ manager }: { manager: string }) => manager === 'one')
  t.like(own, { operation: 'Apply', subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } })
  t.is((await apply('two', 5)).code, 409)
  t.is((await apply('one', 5, '&dryRun=All')).json.spec.replicas, 5)
  t.is((await apply('one', -1)).code, 422)
  t.is((await apply('one', 1, '', { kind: 'ReplicaSet', apiVersion: 'apps/v1' })).code, 400)
  t.is((await apply('one', 1, '', { metadata: { name: 'other' } })).code, 400)
  t.is((await apply('one', 1, '', { wrong: 1 })).code, 500)
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const { columnDefinitions, rows } = (await fetch(`${sets}/web/scale`, { headers: { accept } })).json
  t.deepEqual(
    columnDefinitions.map(({ name }: { name: string }) => name),
    ['Name', 'Desired', 'Available', 'Age'],
  )
  t.deepEqual(rows[0].cells.slice(0, 3), ['web', 2, 0])
})
