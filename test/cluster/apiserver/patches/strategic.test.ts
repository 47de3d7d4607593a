import test from 'ava'
import { strategicMergePatch } from '#cluster/apiserver/patches/strategic.ts'
import { container, POD, pod, port, type StrategicCase, service, testCases } from '../../../support/strategic-cases.ts'

const cases: readonly StrategicCase[] = [
  // Scalars and maps
  {
    title: 'a scalar replaces',
    current: service({ type: 'ClusterIP' }),
    patch: { spec: { type: 'NodePort' } },
    expected: service({ type: 'NodePort' }),
  },
  {
    title: 'a scalar is added',
    current: service({}),
    patch: { spec: { type: 'NodePort' } },
    expected: service({ type: 'NodePort' }),
  },
  {
    title: 'null deletes a scalar',
    current: service({ type: 'NodePort', clusterIP: 'None' }),
    patch: { spec: { type: null } },
    expected: service({ clusterIP: 'None' }),
  },
  {
    title: 'null deletes what is not there',
    current: service({}),
    patch: { spec: { type: null } },
    expected: service({}),
  },
  {
    title: 'null deletes a map',
    current: service({}, { labels: { a: '1' } }),
    patch: { metadata: { labels: null } },
    expected: service({}),
  },
  {
    title: 'null deletes a list',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: null } },
    expected: service({}),
  },
  {
    title: 'maps merge',
    current: service({}, { labels: { a: '1', b: '2' } }),
    patch: { metadata: { labels: { b: '3', c: '4' } } },
    expected: service({}, { labels: { a: '1', b: '3', c: '4' } }),
  },
  {
    title: 'null deletes a key of a map',
    current: service({}, { labels: { a: '1', b: '2' } }),
    patch: { metadata: { labels: { a: null } } },
    expected: service({}, { labels: { b: '2' } }),
  },
  {
    title: 'nulls in a new map are dropped',
    current: service({}),
    patch: { metadata: { labels: { a: null, b: '2' } } },
    expected: service({}, { labels: { b: '2' } }),
  },
  {
    title: 'an empty patch changes nothing',
    current: service({ type: 'NodePort' }),
    patch: {},
    expected: service({ type: 'NodePort' }),
  },
  {
    title: 'an unknown field is carried to the decoder',
    current: service({}),
    patch: { spec: { foo: { bar: 1 } } },
    expected: service({ foo: { bar: 1 } }),
  },
  {
    title: 'a key called __proto__ stays a key',
    current: service({}, { annotations: { a: '1' } }),
    patch: JSON.parse('{"metadata":{"annotations":{"__proto__":"x"}}}'),
    expected: JSON.parse('{"metadata":{"annotations":{"a":"1","__proto__":"x"}},"spec":{}}'),
  },

  // Lists without a strategy replace
  {
    title: 'an atomic list replaces',
    current: service({ externalIPs: ['1.1.1.1'] }),
    patch: { spec: { externalIPs: ['2.2.2.2'] } },
    expected: service({ externalIPs: ['2.2.2.2'] }),
  },
  {
    title: 'an atomic list of maps replaces',
    type: POD,
    current: pod({ tolerations: [{ key: 'a' }] }),
    patch: { spec: { tolerations: [{ key: 'b' }] } },
    expected: pod({ tolerations: [{ key: 'b' }] }),
  },
  {
    title: 'a list of scalars inside a merged item replaces',
    type: POD,
    current: pod({ containers: [container('a', { args: ['x', 'y'] })] }),
    patch: { spec: { containers: [container('a', { args: ['z'] })] } },
    expected: pod({ containers: [container('a', { args: ['z'] })] }),
  },

  // Lists of maps merge by key
  {
    title: 'an item is merged by its key',
    current: service({ ports: [port(80, { name: 'web' })] }),
    patch: { spec: { ports: [{ port: 80, targetPort: 8080 }] } },
    expected: service({ ports: [port(80, { name: 'web', targetPort: 8080 })] }),
  },
  {
    title: 'an item with a new key goes first',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: [port(443)] } },
    expected: service({ ports: [port(443), port(80)] }),
  },
  {
    title: 'containers merge by name',
    type: POD,
    current: pod({ containers: [container('a', { image: 'x:1' }), container('b', { image: 'y:1' })] }),
    patch: { spec: { containers: [container('b', { image: 'y:2' })] } },
    expected: pod({ containers: [container('a', { image: 'x:1' }), container('b', { image: 'y:2' })] }),
  },
  {
    title: 'lists inside merged items merge',
    type: POD,
    current: pod({
      containers: [
        container('a', {
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        }),
      ],
    }),
    patch: { spec: { containers: [container('a', { env: [{ name: 'B', value: '3' }] })] } },
    expected: pod({
      containers: [
        container('a', {
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '3' },
          ],
        }),
      ],
    }),
  },
  {
    title: 'null in a merged item deletes its field',
    type: POD,
    current: pod({ containers: [container('a', { image: 'x', workingDir: '/' })] }),
    patch: { spec: { containers: [container('a', { workingDir: null })] } },
    expected: pod({ containers: [container('a', { image: 'x' })] }),
  },
  {
    title: 'a new list is taken as it is',
    current: service({}),
    patch: { spec: { ports: [port(80)] } },
    expected: service({ ports: [port(80)] }),
  },
  {
    title: 'an empty list changes nothing',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: [] } },
    expected: service({ ports: [port(80)] }),
  },
  {
    title: 'owners merge by uid',
    current: { metadata: { ownerReferences: [{ uid: '1', name: 'a' }] } },
    patch: { metadata: { ownerReferences: [{ uid: '1', controller: true }] } },
    expected: { metadata: { ownerReferences: [{ uid: '1', name: 'a', controller: true }] } },
  },
  {
    title: 'conditions merge by type',
    current: {
      status: {
        conditions: [
          { type: 'A', status: 'True' },
          { type: 'B', status: 'True' },
        ],
      },
    },
    patch: { status: { conditions: [{ type: 'A', status: 'False' }] } },
    expected: {
      status: {
        conditions: [
          { type: 'A', status: 'False' },
          { type: 'B', status: 'True' },
        ],
      },
    },
  },
  {
    title: 'an item without the key is refused',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: [{ targetPort: 1 }] } },
    refused: /does not contain declared merge key: port/,
  },

  // Lists of scalars with strategy merge
  {
    title: 'scalars are added once',
    current: { metadata: { finalizers: ['a/x', 'b/x'] } },
    patch: { metadata: { finalizers: ['b/x', 'c/x'] } },
    expected: { metadata: { finalizers: ['a/x', 'b/x', 'c/x'] } },
  },
  {
    title: '$deleteFromPrimitiveList deletes scalars',
    current: { metadata: { finalizers: ['a/x', 'b/x'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a/x'] } },
    expected: { metadata: { finalizers: ['b/x'] } },
  },
  {
    title: '$deleteFromPrimitiveList of what is not there',
    current: { metadata: {} },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': ['a/x'] } },
    expected: { metadata: {} },
  },
  {
    title: '$deleteFromPrimitiveList with additions and an order',
    current: { metadata: { finalizers: ['a', 'b', 'c'] } },
    patch: {
      metadata: {
        '$deleteFromPrimitiveList/finalizers': ['b'],
        '$setElementOrder/finalizers': ['d', 'a', 'c'],
        finalizers: ['d'],
      },
    },
    expected: { metadata: { finalizers: ['d', 'a', 'c'] } },
  },
  {
    title: '$deleteFromPrimitiveList takes a list',
    current: { metadata: { finalizers: ['a'] } },
    patch: { metadata: { '$deleteFromPrimitiveList/finalizers': 'a' } },
    refused: /takes a list/,
  },

  // Types that change
  {
    title: 'a list where a map was',
    current: { spec: { ports: { a: 1 } } },
    patch: { spec: { ports: [port(80)] } },
    expected: { spec: { ports: [port(80)] } },
  },
]

testCases(cases)

test('a patch that is no object is refused', t => {
  for (const patch of [null, [], 'x', 1]) t.false(strategicMergePatch.apply({}, patch, 'core/v1.Service').ok)
})

test('what kubectl apply sends for a changed deployment-like pod', t => {
  const current = pod({
    containers: [
      container('main', { image: 'a:1', ports: [{ containerPort: 80, protocol: 'TCP' }] }),
      container('side'),
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  })
  const patch = {
    metadata: { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    spec: {
      '$setElementOrder/containers': [{ name: 'main' }],
      '$setElementOrder/volumes': [{ name: 'data' }],
      containers: [
        {
          name: 'main',
          image: 'a:2',
          '$setElementOrder/ports': [{ containerPort: 81 }],
          ports: [{ containerPort: 81 }, { $patch: 'delete', containerPort: 80 }],
        },
        { $patch: 'delete', name: 'side' },
      ],
      volumes: [{ $retainKeys: ['name', 'configMap'], name: 'data', configMap: { name: 'c' }, emptyDir: null }],
    },
  }
  const result = strategicMergePatch.apply(current, patch, POD)
  t.true(result.ok)
  if (result.ok) {
    t.deepEqual(result.value.spec, {
      containers: [{ name: 'main', image: 'a:2', ports: [{ containerPort: 81 }] }],
      volumes: [{ name: 'data', configMap: { name: 'c' } }],
    })
  }
})
