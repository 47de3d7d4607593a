/** Ingress and PodTemplate through the HTTP door. */
import anyTest, { type TestFn } from 'ava'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const INGRESSES = '/apis/networking.k8s.io/v1/namespaces/default/ingresses'
const backend = { service: { name: 'web', port: { number: 80 } } }
const rule = (host: string) => ({ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } })
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const AT = 'spec.rules[0].http.paths[0]'

kindDoor(test, [
  {
    path: INGRESSES,
    good: {
      spec: {
        ingressClassName: 'outer',
        tls: [{ hosts: ['*.example.com'], secretName: 'keys' }],
        rules: ['a.example.com', '*.example.com', 'c.example.com', 'd.example.com'].map(rule),
      },
    },
    defaults: { metadata: { generation: 1 }, status: { loadBalancer: {} } },
    invalid: [
      [
        'no rules and nothing else',
        body => (body.spec = {}),
        ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
      ],
      [
        'an address for a host',
        body => (body.spec.rules[0].host = '10.0.0.1'),
        ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
      ],
      [
        'a star in the middle',
        body => (body.spec.rules[0].host = 'a.*.com'),
        [
          "spec.rules[0].host: Invalid value: \"a.*.com\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ],
      ],
      [
        'no type of path',
        body => delete body.spec.rules[0].http.paths[0].pathType,
        [`${AT}.pathType: Required value: pathType must be specified`],
      ],
      [
        'a type that there is not',
        body => (body.spec.rules[0].http.paths[0].pathType = 'Regex'),
        [`${AT}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
      ],
      [
        'a path that climbs',
        body => (body.spec.rules[0].http.paths[0].path = '/a//../..'),
        [
          `${AT}.path: Invalid value: "/a//../..": must not contain '//'`,
          `${AT}.path: Invalid value: "/a//../..": must not contain '/../'`,
          `${AT}.path: Invalid value: "/a//../..": cannot end with '/..'`,
        ],
      ],
      [
        'two backends, and none, and half a one',
        body => {
          const [first, second, third, fourth] = body.spec.rules
          first.http.paths[0].backend = { ...backend, resource: { kind: 'Bucket', name: 'b' } }
          second.http.paths[0].backend = {}
          third.http.paths[0].backend = { service: { name: 'web' } }
          fourth.http.paths[0].backend = { service: { name: 'web', port: { name: 'http', number: 80 } } }
        },
        [
          `${AT}.backend: Invalid value: "": cannot set both resource and service backends`,
          'spec.rules[1].http.paths[0].backend: Invalid value: "": resource or service backend is required',
          'spec.rules[2].http.paths[0].backend: Required value: port name or number is required',
          'spec.rules[3].http.paths[0].backend: Invalid value: "": cannot set both port name & port number',
        ],
      ],
      [
        'a class said twice, and one that is no name',
        body => {
          body.metadata.annotations = { 'kubernetes.io/ingress.class': 'old' }
          body.spec.ingressClassName = 'New'
        },
        [
          'annotations.kubernetes.io/ingress.class: Invalid value: "old": can not be set when the class field is also set',
          `spec.ingressClassName: Invalid value: "New": ${SUBDOMAIN}`,
        ],
      ],
    ],
    immutable: [['another rule', body => void body.spec.rules.pop(), []]],
    status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }, { hostname: 'edge.example.com' }] } },
    cells: {
      Class: 'outer',
      Hosts: 'a.example.com,*.example.com,c.example.com + 1 more...',
      Address: '192.0.2.7,edge.example.com',
      Ports: '80, 443',
    },
  },
  {
    path: '/api/v1/namespaces/default/podtemplates',
    good: {
      template: {
        metadata: { labels: { app: 'a' } },
        spec: {
          containers: [
            { name: 'c', image: 'i:1' },
            { name: 'd', image: 'j:2' },
          ],
        },
      },
    },
    defaults: {
      metadata: { generation: 1 },
      template: { spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' } },
    },
    invalid: [['no template', body => delete body.template, ['template.spec.containers: Required value']]],
    immutable: [['another image', body => (body.template.spec.containers[0].image = 'i:2'), []]],
    cells: { Containers: 'c,d', Images: 'i:1,j:2', 'Pod Labels': 'app=a' },
  },
])
