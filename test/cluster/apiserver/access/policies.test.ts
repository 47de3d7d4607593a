/** ValidatingAdmissionPolicy and match conditions: what expressions see, and what becomes of their word. */
import test, { type ExecutionContext } from 'ava'
import { startWebhookServer } from '../../../support/webhook-server.ts'
import { startWorld, type World } from './world.ts'

const D = '/api/v1/namespaces/default'
const GROUP = '/apis/admissionregistration.k8s.io/v1'

const create = (world: World, path: string, body: object) => world.server.fetch(path, { method: 'POST', body })
const configMap = (name: string, data: object = { k: 'v' }, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  data,
})

const CONFIG_MAPS = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]

interface Parts {
  readonly spec: object
  readonly binding?: object
  readonly match?: object
}

/** A policy on ConfigMaps and its binding, both named `p.example.com` unless said. */
const apply = async (
  t: ExecutionContext,
  world: World,
  { spec, binding, match = {} }: Parts,
  name = 'p.example.com',
) => {
  await world.make(t, `${GROUP}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules: CONFIG_MAPS, ...match }, ...spec },
  })
  await world.make(t, `${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name: `${name}-binding` },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  })
}

test('what does not hold is refused, in the words of Kubernetes', async t => {
  const world = await startWorld(t)
  await apply(t, world, {
    spec: {
      variables: [
        { name: 'size', expression: "object.?data.?size.orValue('0')" },
        { name: 'number', expression: 'int(variables.size)' },
      ],
      validations: [
        { expression: 'variables.number <= 5' },
        { expression: '!has(object.data.secret)', message: 'no secrets here', reason: 'Forbidden' },
        {
          expression: "!object.metadata.name.startsWith('bad')",
          messageExpression: "'bad name: ' + object.metadata.name + ' in ' + namespaceObject.metadata.name",
        },
      ],
    },
  })
  const refusal = async (body: object) => {
    const { code, json } = await create(world, `${D}/configmaps`, body)
    return [code, json.reason, json.message]
  }
  const said = (text: string) =>
    `configmaps "x" is forbidden: ValidatingAdmissionPolicy 'p.example.com' with binding 'p.example.com-binding' denied request: ${text}`
  t.deepEqual(await refusal(configMap('x', { size: '6' })), [
    422,
    'Invalid',
    said('failed expression: variables.number <= 5'),
  ])
  t.deepEqual(await refusal(configMap('x', { secret: 's' })), [403, 'Forbidden', said('no secrets here')])
  t.regex(String((await refusal(configMap('bad')))[2]), /denied request: bad name: bad in default$/)
  t.regex(
    String((await refusal(configMap('x', { size: 'many' })))[2]),
    /expression 'variables\.number <= 5' resulted in error: /,
  )
  t.is((await create(world, `${D}/configmaps`, configMap('good', { size: '5' }))).code, 201)
})

test('old and new, the request, its user and what that may do', async t => {
  const world = await startWorld(t)
  await apply(t, world, {
    match: { resourceRules: [{ ...CONFIG_MAPS[0], operations: ['UPDATE', 'DELETE'] }] },
    spec: {
      validations: [
        { expression: "request.operation != 'UPDATE' || object.data.a == oldObject.data.a", message: 'a stays' },
        {
          expression:
            "request.operation != 'DELETE' || authorizer.group('').resource('secrets').namespace('default').check('delete').allowed()",
          message: 'who deletes these must be able to delete secrets',
        },
        { expression: "request.userInfo.username != 'mallory'", message: 'not you' },
      ],
    },
  })
  await world.role(t, 'default', 'maps', [{ verbs: ['*'], apiGroups: [''], resources: ['configmaps'] }])
  await world.bind(t, 'default', 'Role/maps', 'user:ann')
  const { json } = await create(world, `${D}/configmaps`, configMap('x', { a: '1', b: '1' }))
  const put = (data: object, as?: string) =>
    world.server.fetch(`${D}/configmaps/x`, { method: 'PUT', body: { ...json, data }, ...(as ? { as } : {}) })
  t.regex((await put({ a: '2' })).json.message, /a stays$/)
  t.regex(
    (await world.server.fetch(`${D}/configmaps/x`, { method: 'DELETE', as: 'ann' })).json.message,
    /delete secrets$/,
  )
  t.is((await world.server.fetch(`${D}/configmaps/x`, { method: 'DELETE' })).code, 200)
})

test('parameters come from any kind, by name or by label', async t => {
  const world = await startWorld(t)
  await world.make(t, `${D}/configmaps`, configMap('limits', { max: '3' }, { labels: { limits: 'yes' } }))
  const params = { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } }
  const validations = [{ expression: 'size(object.data) <= int(params.data.max)' }]
  await apply(t, world, {
    spec: { ...params, validations },
    binding: { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } },
  })
  await apply(
    t,
    world,
    {
      spec: { ...params, validations: [{ expression: "params.data.max != '3' || object.metadata.name != 'three'" }] },
      binding: { paramRef: { selector: { matchLabels: { limits: 'yes' } }, parameterNotFoundAction: 'Allow' } },
    },
    'q.example.com',
  )
  const data = { a: '1', b: '2', c: '3', d: '4' }
  t.is((await create(world, `${D}/configmaps`, configMap('x', data))).code, 422)
  t.is((await create(world, `${D}/configmaps`, configMap('three'))).code, 422)
  t.is((await create(world, `${D}/configmaps`, configMap('two'))).code, 201)
  await world.server.fetch(`${GROUP}/validatingadmissionpolicybindings/p.example.com-binding`, { method: 'DELETE' })
  await world.server.fetch(`${D}/configmaps/limits`, { method: 'DELETE' })
  t.is((await create(world, `${D}/configmaps`, configMap('three'))).code, 201, 'no parameter, nothing to ask')
  await world.make(t, `${GROUP}/validatingadmissionpolicybindings`, {
    metadata: { name: 'strict' },
    spec: {
      policyName: 'p.example.com',
      validationActions: ['Deny'],
      paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' },
    },
  })
  const { json } = await create(world, `${D}/configmaps`, configMap('y'))
  t.regex(
    json.message,
    /failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction$/,
  )
})

test('a binding warns, notes, or looks at fewer; a condition keeps the policy away', async t => {
  const world = await startWorld(t)
  await apply(t, world, {
    spec: {
      matchConditions: [{ name: 'not-mine', expression: "!object.metadata.name.startsWith('mine')" }],
      validations: [{ expression: 'has(object.data.ok)' }],
      auditAnnotations: [{ key: 'seen', valueExpression: "'saw ' + object.metadata.name" }],
    },
    binding: {
      validationActions: ['Warn', 'Audit'],
      matchResources: { objectSelector: { matchLabels: { look: 'yes' } } },
    },
  })
  const warned = async (name: string, labels: object) => {
    const { code, headers, text } = await create(world, `${D}/configmaps`, configMap(name, { k: 'v' }, { labels }))
    t.is(code, 201, text)
    return String(headers.warning ?? '')
  }
  t.regex(
    await warned('a', { look: 'yes' }),
    /Validation failed for ValidatingAdmissionPolicy 'p\.example\.com' with binding 'p\.example\.com-binding': failed expression: has\(object\.data\.ok\)/,
  )
  t.is(await warned('b', {}), '')
  t.is(await warned('mine', { look: 'yes' }), '')
  const metrics = (await world.server.fetch('/metrics')).text
  t.regex(
    metrics,
    /apiserver_validating_admission_policy_check_total\{policy="p\.example\.com",policy_binding="p\.example\.com-binding",error_type="no_error",enforcement_action="warn"\} 1/,
  )
  t.regex(metrics, /apiserver_admission_match_condition_exclusions_total\{name="p\.example\.com",kind="policy".*\} 1/)
})

test('an expression that fails refuses or lets through, as the policy says; rules may leave out', async t => {
  const world = await startWorld(t)
  const excludeResourceRules = [{ ...CONFIG_MAPS[0], resourceNames: ['spared'] }]
  await apply(t, world, {
    match: { excludeResourceRules },
    spec: { validations: [{ expression: 'object.data.nope.deeper == 1' }] },
  })
  const refused = await create(world, `${D}/configmaps`, configMap('x'))
  t.regex(refused.json.message, /resulted in error: no such key: /)
  t.is((await create(world, `${D}/configmaps`, configMap('spared'))).code, 201)
  const path = `${GROUP}/validatingadmissionpolicies/p.example.com`
  const { json } = await world.server.fetch(path)
  await world.server.fetch(path, { method: 'PUT', body: { ...json, spec: { ...json.spec, failurePolicy: 'Ignore' } } })
  t.is((await create(world, `${D}/configmaps`, configMap('x'))).code, 201)
})

test('what is no expression is refused where it is written', async t => {
  const world = await startWorld(t)
  const complaints = async (spec: object): Promise<string> =>
    (
      await create(world, `${GROUP}/validatingadmissionpolicies`, {
        metadata: { name: 'p.example.com' },
        spec: { matchConstraints: { resourceRules: CONFIG_MAPS }, ...spec },
      })
    ).json.message
  t.regex(
    await complaints({ validations: [{ expression: 'object.' }] }),
    /spec\.validations\[0\]\.expression: Invalid value: "object\.": compilation failed: /,
  )
  t.regex(
    await complaints({ validations: [{ expression: "'text'" }] }),
    /spec\.validations\[0\]\.expression: Invalid value: .* must evaluate to bool/,
  )
  t.regex(
    await complaints({ validations: [{ expression: 'int("x") == 1' }] }),
    /spec\.validations\[0\]\.expression: Internal error: program instantiation failed: type conversion error from 'string' to 'int'/,
  )
  t.regex(await complaints({ validations: [{ expression: 'request.nope == 1' }] }), /undefined field 'nope'/)
  t.regex(await complaints({ validations: [{ expression: 'params.x == 1' }] }), /undeclared reference to 'params'/)
  t.regex(await complaints({ validations: [{ expression: 'variables.x == 1' }] }), /undefined field 'x'/)
  t.regex(
    await complaints({}),
    /spec\.validations: Required value: validations or auditAnnotations must contain at least one item/,
  )
  const webhook = {
    name: 'a.example.com',
    clientConfig: { url: 'https://127.0.0.1:1/' },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    matchConditions: [{ name: 'x', expression: 'objekt.a' }],
  }
  const { json } = await create(world, `${GROUP}/mutatingwebhookconfigurations`, {
    metadata: { name: 'm' },
    webhooks: [webhook],
  })
  t.regex(
    json.message,
    /webhooks\[0\]\.matchConditions\[0\]\.expression: Invalid value: "objekt\.a": compilation failed: .*undeclared reference to 'objekt'/s,
  )
})

test('a webhook with conditions is asked where they hold', async t => {
  const world = await startWorld(t)
  const server = await startWebhookServer(t, () => ({ allowed: true }))
  const webhook = (expression: string, failurePolicy = 'Fail') => ({
    name: 'a.example.com',
    clientConfig: server.config(),
    rules: [{ ...CONFIG_MAPS[0], operations: ['CREATE'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    failurePolicy,
    matchConditions: [
      { name: 'who', expression: "request.userInfo.username != 'system:node:n'" },
      { name: 'what', expression },
    ],
  })
  const path = `${GROUP}/mutatingwebhookconfigurations`
  await world.make(t, path, { metadata: { name: 'm' }, webhooks: [webhook("object.data.ask == 'yes'")] })
  t.is((await create(world, `${D}/configmaps`, configMap('a', { ask: 'yes' }))).code, 201)
  t.is((await create(world, `${D}/configmaps`, configMap('b', { ask: 'no' }))).code, 201)
  t.deepEqual(
    server.requests.map(({ name }) => name),
    ['a'],
  )
  const failed = await create(world, `${D}/configmaps`, configMap('c'))
  t.is(failed.code, 403)
  t.regex(
    failed.json.message,
    /^configmaps "c" is forbidden: expression 'object\.data\.ask == 'yes'' resulted in error: /,
  )
  await world.server.fetch(`${path}/m`, { method: 'DELETE' })
  await world.make(t, path, { metadata: { name: 'm' }, webhooks: [webhook("object.data.ask == 'yes'", 'Ignore')] })
  t.is((await create(world, `${D}/configmaps`, configMap('c'))).code, 201)
})

test('no expression stalls the server', async t => {
  const world = await startWorld(t)
  const list = `[${Array.from({ length: 100 }, (_, index) => index).join(',')}]`
  const nested = `${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, a + b + c + d >= 0))))`
  await apply(t, world, { spec: { validations: [{ expression: nested }] } })
  const { code, json } = await create(world, `${D}/configmaps`, configMap('x'))
  t.is(code, 422)
  t.regex(json.message, /validation failed due to running out of cost budget, no further validation rules will be run$/)
})

test('a policy tells what its expressions would not find', async t => {
  const world = await startWorld(t)
  const path = `${GROUP}/validatingadmissionpolicies`
  const statusOf = async (name: string) => {
    for (;;) {
      const { json } = await world.server.fetch(`${path}/${name}`)
      if (json.status?.observedGeneration === json.metadata.generation) return json.status
    }
  }
  const policy = (name: string, expression: string) => ({
    metadata: { name },
    spec: { matchConstraints: { resourceRules: CONFIG_MAPS }, validations: [{ expression }] },
  })
  await world.make(t, path, policy('right', "object.data.exists(key, key == 'a')"))
  t.deepEqual(await statusOf('right'), { observedGeneration: 1, typeChecking: {} })
  const { spec } = (await create(world, path, policy('wrong', "object.spec.size == 'a'"))).json
  const { typeChecking } = await statusOf('wrong')
  t.is(typeChecking.expressionWarnings[0].fieldRef, 'spec.validations[0].expression')
  t.regex(typeChecking.expressionWarnings[0].warning, /^v1, Kind=ConfigMap: ERROR: <input>:1:7: undefined field 'spec'/)
  const body = {
    ...(await world.server.fetch(`${path}/wrong`)).json,
    spec: { ...spec, validations: [{ expression: 'true' }] },
  }
  t.is((await world.server.fetch(`${path}/wrong`, { method: 'PUT', body })).code, 200)
  t.deepEqual(await statusOf('wrong'), { observedGeneration: 2, typeChecking: {} })
})

test('nobody lets a policy read what they may not', async t => {
  const world = await startWorld(t)
  const rules = [
    { verbs: ['*'], apiGroups: ['admissionregistration.k8s.io'], resources: ['*'] },
    { verbs: ['get', 'list'], apiGroups: [''], resources: ['configmaps'] },
  ]
  await world.role(t, undefined, 'policies', rules)
  await world.bind(t, undefined, 'ClusterRole/policies', 'user:ann')
  const policy = (kind: string) => ({
    metadata: { name: `${kind.toLowerCase()}.example.com` },
    spec: {
      paramKind: { apiVersion: 'v1', kind },
      matchConstraints: { resourceRules: CONFIG_MAPS },
      validations: [{ expression: 'false', messageExpression: 'string(params.data.password)' }],
    },
  })
  const binding = (name: string) => ({
    metadata: { name },
    spec: {
      policyName: `${name}.example.com`,
      validationActions: ['Deny'],
      paramRef: { name: 'x', namespace: 'kube-system', parameterNotFoundAction: 'Deny' },
    },
  })
  const asAnn = async (path: string, body: object) => {
    const { code, json } = await world.server.fetch(`${GROUP}/${path}`, { method: 'POST', body, as: 'ann' })
    return [code, json.message]
  }
  const [code, message] = await asAnn('validatingadmissionpolicies', policy('Secret'))
  t.is(code, 422)
  t.regex(
    message,
    /spec\.paramKind: Forbidden: user ann must have "get" permission on all objects of the referenced paramKind/,
  )
  t.is((await asAnn('validatingadmissionpolicies', policy('ConfigMap')))[0], 201)
  await world.make(t, `${GROUP}/validatingadmissionpolicies`, policy('Secret'))
  const [bound, why] = await asAnn('validatingadmissionpolicybindings', binding('secret'))
  t.is(bound, 422)
  t.regex(
    why,
    /spec\.paramRef: Forbidden: user ann does not have "get" permission on the object referenced by paramRef/,
  )
  t.is((await asAnn('validatingadmissionpolicybindings', binding('configmap')))[0], 201)
})
