import test from 'ava'
import { strategicMergePatch } from '#cluster/apiserver/patches/strategic.ts'

interface Case {
  readonly title: string
  readonly type?: string
  readonly current: Record<string, unknown>
  readonly patch: Record<string, unknown>
  readonly expected?: Record<string, unknown>
  /** Part of the message of the 400. */
  readonly refused?: RegExp
}

const port = (number: number, rest: object = {}) => ({ port: number, protocol: 'TCP', ...rest })
const service = (spec: object, metadata: object = {}) => ({ metadata, spec })
const pod = (spec: object, metadata: object = {}) => ({ metadata, spec })
const container = (name: string, rest: object = {}) => ({ name, ...rest })
const POD = 'core/v1.Pod'

const cases: readonly Case[] = [
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

  // $patch
  {
    title: '$patch: delete takes an item away',
    current: service({ ports: [port(80), port(443)] }),
    patch: { spec: { ports: [{ $patch: 'delete', port: 80 }] } },
    expected: service({ ports: [port(443)] }),
  },
  {
    title: '$patch: delete of an item that is not there',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: [{ $patch: 'delete', port: 81 }] } },
    expected: service({ ports: [port(80)] }),
  },
  {
    title: '$patch: delete needs the key',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: [{ $patch: 'delete' }] } },
    refused: /merge key/,
  },
  {
    title: '$patch: delete beside a merged item',
    current: service({ ports: [port(80), port(443)] }),
    patch: {
      spec: {
        ports: [
          { port: 443, name: 'tls' },
          { $patch: 'delete', port: 80 },
        ],
      },
    },
    expected: service({ ports: [port(443, { name: 'tls' })] }),
  },
  {
    title: '$patch: delete empties a map',
    current: service({}, { labels: { a: '1' } }),
    patch: { metadata: { labels: { $patch: 'delete' } } },
    expected: service({}, { labels: {} }),
  },
  {
    title: '$patch: replace replaces a map',
    current: service({}, { labels: { a: '1' } }),
    patch: { metadata: { labels: { $patch: 'replace', b: '2' } } },
    expected: service({}, { labels: { b: '2' } }),
  },
  {
    title: '$patch: replace replaces a list',
    current: service({ ports: [port(80), port(81)] }),
    patch: { spec: { ports: [{ $patch: 'replace' }, port(443)] } },
    expected: service({ ports: [port(443)] }),
  },
  {
    title: '$patch: replace replaces a struct',
    type: POD,
    current: pod({ securityContext: { runAsUser: 1, fsGroup: 2 } }),
    patch: { spec: { securityContext: { $patch: 'replace', runAsUser: 3 } } },
    expected: pod({ securityContext: { runAsUser: 3 } }),
  },
  {
    title: '$patch: replace at the root',
    current: { metadata: { name: 'a' }, spec: { type: 'NodePort' } },
    patch: { $patch: 'replace', metadata: { name: 'a' } },
    expected: { metadata: { name: 'a' } },
  },
  {
    title: '$patch: merge in a map is what happens anyway',
    current: service({}, { labels: { a: '1' } }),
    patch: { metadata: { labels: { $patch: 'merge', b: '2' } } },
    expected: service({}, { labels: { a: '1', b: '2' } }),
  },
  {
    title: '$patch: merge in a list is refused',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: [{ $patch: 'merge', port: 80 }] } },
    refused: /cannot yet be specified/,
  },
  {
    title: 'an unknown directive is refused',
    current: service({ ports: [port(80)] }),
    patch: { spec: { ports: [{ $patch: 'burn', port: 80 }] } },
    refused: /unknown patch type 'burn'/,
  },
  {
    title: 'an unknown directive in a map is refused',
    current: service({}, { labels: { a: '1' } }),
    patch: { metadata: { labels: { $patch: 'burn' } } },
    refused: /unknown patch type 'burn'/,
  },
  {
    title: 'directives in what is new do not stay',
    type: POD,
    current: pod({}),
    patch: {
      spec: {
        containers: [
          container('a', {
            '$setElementOrder/env': [{ name: 'A' }],
            env: [{ name: 'A' }, { $patch: 'delete', name: 'B' }],
          }),
        ],
      },
    },
    expected: pod({ containers: [container('a', { env: [{ name: 'A' }] })] }),
  },

  // $retainKeys
  {
    title: '$retainKeys drops the other fields',
    type: POD,
    current: pod({ volumes: [{ name: 'v', emptyDir: {} }] }),
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
    expected: pod({ volumes: [{ name: 'v', hostPath: { path: '/x' } }] }),
  },
  {
    title: '$retainKeys keeps what it lists',
    type: POD,
    current: pod({ volumes: [{ name: 'v', hostPath: { path: '/x', type: '' } }] }),
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/y' } }] } },
    expected: pod({ volumes: [{ name: 'v', hostPath: { path: '/y', type: '' } }] }),
  },
  {
    title: '$retainKeys must list what the patch sets',
    type: POD,
    current: pod({ volumes: [{ name: 'v', emptyDir: {} }] }),
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: ['name'], hostPath: { path: '/x' } }] } },
    refused: /retainKeys/,
  },
  {
    title: '$retainKeys takes a list',
    type: POD,
    current: pod({ volumes: [{ name: 'v' }] }),
    patch: { spec: { volumes: [{ name: 'v', $retainKeys: 'name' }] } },
    refused: /retainKeys/,
  },

  // $setElementOrder
  {
    title: '$setElementOrder alone reorders',
    type: POD,
    current: pod({ containers: [container('a'), container('b'), container('c')] }),
    patch: { spec: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }, { name: 'b' }] } },
    expected: pod({ containers: [container('c'), container('a'), container('b')] }),
  },
  {
    title: '$setElementOrder places a new item',
    current: service({ ports: [port(80), port(443)] }),
    patch: { spec: { '$setElementOrder/ports': [{ port: 80 }, { port: 81 }, { port: 443 }], ports: [port(81)] } },
    expected: service({ ports: [port(80), port(81), port(443)] }),
  },
  {
    title: 'items that the order does not know keep their place',
    type: POD,
    current: pod({ containers: [container('a'), container('x'), container('b')] }),
    patch: {
      spec: {
        '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
        containers: [container('b', { image: 'i' })],
      },
    },
    expected: pod({ containers: [container('a'), container('x'), container('b', { image: 'i' })] }),
  },
  {
    title: '$setElementOrder with a deletion',
    current: service({ ports: [port(80), port(81), port(82)] }),
    patch: {
      spec: { '$setElementOrder/ports': [{ port: 82 }, { port: 80 }], ports: [{ $patch: 'delete', port: 81 }] },
    },
    expected: service({ ports: [port(82), port(80)] }),
  },
  {
    title: '$setElementOrder of scalars',
    current: { metadata: { finalizers: ['a', 'b'] } },
    patch: { metadata: { '$setElementOrder/finalizers': ['b', 'a'] } },
    expected: { metadata: { finalizers: ['b', 'a'] } },
  },
  {
    title: '$setElementOrder makes a list that was not there',
    current: service({}),
    patch: { spec: { '$setElementOrder/ports': [{ port: 80 }], ports: [port(80)] } },
    expected: service({ ports: [port(80)] }),
  },
  {
    title: '$setElementOrder of a list that nobody has',
    current: service({}),
    patch: { spec: { '$setElementOrder/ports': [{ port: 80 }] } },
    expected: service({}),
  },
  {
    title: 'an item that the order does not list is refused',
    current: service({ ports: [port(80)] }),
    patch: { spec: { '$setElementOrder/ports': [{ port: 80 }], ports: [port(81)] } },
    refused: /doesn't match \$setElementOrder/,
  },
  {
    title: 'items in another order than they say are refused',
    current: service({ ports: [] }),
    patch: { spec: { '$setElementOrder/ports': [{ port: 80 }, { port: 81 }], ports: [port(81), port(80)] } },
    refused: /doesn't match \$setElementOrder/,
  },

  // Types that change
  {
    title: 'a list where a map was',
    current: { spec: { ports: { a: 1 } } },
    patch: { spec: { ports: [port(80)] } },
    expected: { spec: { ports: [port(80)] } },
  },
]

for (const { title, type = 'core/v1.Service', current, patch, expected, refused } of cases) {
  test(title, t => {
    const before = structuredClone({ current, patch })
    const result = strategicMergePatch.apply(current, patch, type)
    t.deepEqual({ current, patch }, before, 'arguments are not changed')
    if (refused) {
      t.false(result.ok)
      if (result.ok) return
      t.is(result.problem.code, 400)
      t.regex(result.problem.message ?? '', refused)
    } else {
      t.true(result.ok)
      if (result.ok) t.is(JSON.stringify(result.value), JSON.stringify(expected))
    }
  })
}

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
