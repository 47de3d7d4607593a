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
