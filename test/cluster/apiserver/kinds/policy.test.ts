/** networking.k8s.io/v1 (classes and policies), policy/v1 and scheduling.k8s.io/v1 through the HTTP door. */
import anyTest, { type TestFn } from 'ava'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const NETWORKING = '/apis/networking.k8s.io/v1'

kindDoor(test, [
  {
    path: `${NETWORKING}/ingressclasses`,
    good: {
      spec: { controller: 'example.com/c', parameters: { apiGroup: 'example.com', kind: 'Settings', name: 's' } },
    },
    defaults: { metadata: { generation: 1 }, spec: { parameters: { scope: 'Cluster' } } },
    invalid: [
      ['nobody', body => delete body.spec.controller, ['spec.controller: Required value']],
      [
        'somebody without a domain',
        body => (body.spec.controller = 'c'),
        ['spec.controller: Invalid value: "c": must be a domain-prefixed path (such as "acme.io/foo")'],
      ],
      [
        'settings in a namespace that is not said',
        body => (body.spec.parameters.scope = 'Namespace'),
        ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
      ],
    ],
    immutable: [
      [
        'another controller',
        body => (body.spec.controller = 'example.com/d'),
        ['spec.controller: Invalid value: "example.com/d": field is immutable'],
      ],
    ],
    cells: { Controller: 'example.com/c', Parameters: 'Settings.example.com/s' },
  },
  {
    path: `${NETWORKING}/namespaces/default/networkpolicies`,
    good: {
      spec: {
        podSelector: {
          matchLabels: { app: 'a' },
          matchExpressions: [{ key: 'z', operator: 'In', values: ['c', 'b'] }],
        },
        egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 53 }] }],
      },
    },
    defaults: {
      metadata: { generation: 1 },
      spec: { policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ protocol: 'TCP', port: 53 }] }] },
    },
    invalid: [
      [
        'no peer',
        body => (body.spec.egress[0].to = [{}]),
        ['spec.egress[0].to[0]: Required value: must specify a peer'],
      ],
      [
        'a block and more',
        body => (body.spec.egress[0].to[0].podSelector = {}),
        ['spec.egress[0].to[0]: Forbidden: may not specify both ipBlock and another peer'],
      ],
      [
        'an exception to what is not there',
        body => (body.spec.egress[0].to[0].ipBlock.except = ['11.0.0.0/16']),
        ['spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`'],
      ],
      [
        'ports that end before they begin',
        body => (body.spec.egress[0].ports = [{ port: 53, endPort: 52 }]),
        ['spec.egress[0].ports[0].endPort: Invalid value: 52: must be greater than or equal to `port`'],
      ],
      [
        'a direction that is none',
        body => (body.spec.policyTypes = ['Sideways']),
        ['spec.policyTypes[0]: Unsupported value: "Sideways": supported values: "Egress", "Ingress"'],
      ],
    ],
    cells: { 'Pod-Selector': 'app=a,z in (b,c)' },
  },
  {
    path: '/apis/policy/v1/namespaces/default/poddisruptionbudgets',
    good: { spec: { minAvailable: '50%', selector: { matchLabels: { app: 'a' } } } },
    defaults: { metadata: { generation: 1 }, status: { disruptionsAllowed: 0 } },
    invalid: [
      [
        'both ways',
        body => (body.spec = { minAvailable: 1, maxUnavailable: 1 }),
        [
          'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
        ],
      ],
      [
        'more than all',
        body => (body.spec.minAvailable = '101%'),
        ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
      ],
    ],
    immutable: [['the other way', body => (body.spec = { maxUnavailable: 1 }), []]],
    status: { disruptionsAllowed: 2, currentHealthy: 4, desiredHealthy: 2, expectedPods: 4 },
    cells: { 'Min Available': '50%', 'Max Unavailable': 'N/A', 'Allowed Disruptions': 2 },
  },
  {
    path: '/apis/scheduling.k8s.io/v1/priorityclasses',
    good: { value: 1000, description: 'They matter.' },
    defaults: { preemptionPolicy: 'PreemptLowerPriority', metadata: { generation: 1 } },
    invalid: [
      [
        'more than the system',
        body => (body.value = 1_000_000_001),
        ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
      ],
      [
        "a name of the system's",
        body => (body.metadata.name = 'system-mine'),
        [
          "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: is not a known system priority class",
        ],
      ],
    ],
    immutable: [
      ['another value', body => (body.value = 1001), ['value: Forbidden: may not be changed in an update.']],
      ['another word', body => (body.description = 'They do.'), []],
    ],
    cells: { Value: 1000, 'Global-Default': false, PreemptionPolicy: 'PreemptLowerPriority' },
  },
])
