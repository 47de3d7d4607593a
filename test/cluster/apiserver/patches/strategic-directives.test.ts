/** What a strategic patch says beside fields: `$patch`, `$retainKeys`, `$setElementOrder`. */
import { container, POD, pod, port, type StrategicCase, service, testCases } from '../../../support/strategic-cases.ts'

const cases: readonly StrategicCase[] = [
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
]

testCases(cases)
