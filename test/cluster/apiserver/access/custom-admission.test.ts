/** Custom resources are admitted as all else is: quotas count them, webhooks and policies see them. */
import test from 'ava'
import { patchOf, type Review, startWebhookServer } from '../../../support/webhook-server.ts'
import { startWorld, type World } from './world.ts'

const GROUP = '/apis/admissionregistration.k8s.io/v1'
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets'
const QUOTA = '/api/v1/namespaces/default/resourcequotas'

const create = (world: World, path: string, body: object) => world.server.fetch(path, { method: 'POST', body })

const widget = (name: string, spec: object = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
})

const startWidgets = async (t: Parameters<World['make']>[0]): Promise<World> => {
  const world = await startWorld(t)
  const properties = { size: { type: 'integer' }, colour: { type: 'string', default: 'red' } }
  await world.make(t, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } } },
        },
      ],
    },
  })
  for (;;) {
    const { code } = await world.server.fetch(WIDGETS)
    if (code === 200) return world
  }
}

test('a quota counts them', async t => {
  const world = await startWidgets(t)
  await world.make(t, WIDGETS, widget('a'))
  await world.make(t, QUOTA, { metadata: { name: 'q' }, spec: { hard: { 'count/widgets.example.com': '2' } } })
  await world.make(t, WIDGETS, widget('b'))
  const { code, json } = await create(world, WIDGETS, widget('c'))
  t.is(code, 403)
  t.regex(
    json.message,
    /exceeded quota: q, requested: count\/widgets\.example\.com=1, used: count\/widgets\.example\.com=2/,
  )
  await world.server.fetch(`${WIDGETS}/a`, { method: 'DELETE' })
  t.is((await world.server.fetch(`${QUOTA}/q`)).json.status.used['count/widgets.example.com'], '1')
})

test('a webhook changes them, and is shown their defaults; a policy judges the outcome', async t => {
  const world = await startWidgets(t)
  const server = await startWebhookServer(t, ({ object }: Review) =>
    object.spec.size === undefined ? patchOf({ op: 'add', path: '/spec/size', value: 7 }) : { allowed: true },
  )
  const resourceRules = [{ operations: ['CREATE'], apiGroups: ['example.com'], apiVersions: ['*'], resources: ['*'] }]
  await world.make(t, `${GROUP}/mutatingwebhookconfigurations`, {
    metadata: { name: 'm' },
    webhooks: [
      {
        name: 'size.example.com',
        clientConfig: server.config(),
        rules: resourceRules,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  })
  await world.make(t, `${GROUP}/validatingadmissionpolicies`, {
    metadata: { name: 'p.example.com' },
    spec: { matchConstraints: { resourceRules }, validations: [{ expression: 'object.spec.size < 10' }] },
  })
  await world.make(t, `${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name: 'b' },
    spec: { policyName: 'p.example.com', validationActions: ['Deny'] },
  })
  const made = await create(world, WIDGETS, widget('a'))
  t.deepEqual(made.json.spec, { size: 7, colour: 'red' }, made.text)
  t.is(server.requests[0].object.spec.colour, 'red')
  const refused = await create(world, WIDGETS, widget('b', { size: 10 }))
  t.regex(
    refused.json.message,
    /^widgets\.example\.com "b" is forbidden: .*failed expression: object\.spec\.size < 10$/,
  )
})
