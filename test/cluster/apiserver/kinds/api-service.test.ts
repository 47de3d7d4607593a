/** APIService through the HTTP door; what becomes of it is told in test/cluster/apiserver/aggregation. */
import anyTest, { type TestFn } from 'ava'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn

kindDoor(test, [
  {
    path: '/apis/apiregistration.k8s.io/v1/apiservices',
    good: {
      metadata: { name: 'v1.far.example.com' },
      spec: {
        group: 'far.example.com',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { namespace: 'default', name: 'far' },
      },
    },
    defaults: { spec: { service: { port: 443 } }, status: {} },
    invalid: [
      [
        'under another name',
        body => (body.metadata.name = 'v2.far.example.com'),
        [
          'metadata.name: Invalid value: "v2.far.example.com": must be `spec.version+"."+spec.group`: "v1.far.example.com"',
        ],
      ],
      [
        'of no importance, or too much',
        body => Object.assign(body.spec, { groupPriorityMinimum: 0, versionPriority: 1001 }),
        [
          'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
          'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
        ],
      ],
      [
        'a local one that is not trusted',
        body => Object.assign(body.spec, { service: undefined, caBundle: 'AAAA' }),
        [
          'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
          'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
        ],
      ],
      [
        'nowhere, trusted and not',
        body => Object.assign(body.spec, { service: { port: 70_000 }, caBundle: 'AAAA' }),
        [
          'spec.service.namespace: Required value',
          'spec.service.name: Required value',
          'spec.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
          'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
        ],
      ],
    ],
    immutable: [['more important', body => (body.spec.groupPriorityMinimum = 200), []]],
    cells: { Service: 'default/far' },
    masked: ['Available'],
  },
])
