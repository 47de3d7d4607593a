/** LimitRange and ResourceQuota through the HTTP door. */
import test from 'ava'
import { kindDoor } from '../../../support/kind-door.ts'

kindDoor(test, [
  {
    path: '/api/v1/namespaces/default/limitranges',
    good: {
      spec: {
        limits: [
          { type: 'Container', max: { cpu: '2', memory: '1Gi' }, min: { memory: '16Mi' }, default: { cpu: '500m' } },
          { type: 'Pod', max: { cpu: '4' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } },
        ],
      },
    },
    defaults: {
      spec: {
        limits: [
          {
            type: 'Container',
            max: { cpu: '2', memory: '1Gi' },
            min: { memory: '16Mi' },
            default: { cpu: '500m', memory: '1Gi' },
            defaultRequest: { cpu: '500m', memory: '1Gi' },
          },
          { type: 'Pod', max: { cpu: '4' } },
          { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '10Gi' } },
        ],
      },
    },
    invalid: [
      [
        'a type twice, defaults of a Pod, a claim without storage',
        body => {
          body.spec.limits = [
            { type: 'Pod', default: { cpu: '1' } },
            { type: 'Pod', max: { cpu: '1' } },
            { type: 'PersistentVolumeClaim', max: { cpu: '1' } },
          ]
        },
        [
          "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
          'spec.limits[1].type: Duplicate value: "Pod"',
          'spec.limits[2].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
        ],
      ],
      [
        'bounds that contradict each other',
        body => {
          body.spec.limits = [
            {
              type: 'Container',
              min: { cpu: '2' },
              max: { cpu: '1' },
              default: { cpu: '3' },
              defaultRequest: { cpu: '4' },
              maxLimitRequestRatio: { cpu: '500m', memory: '2' },
            },
          ]
        },
        [
          'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
          'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than max value 1',
          'spec.limits[0].defaultRequest[cpu]: Invalid value: "4": default request value 4 is greater than default limit value 3',
          'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
          'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
        ],
      ],
      [
        'names that are no resources of containers',
        body => {
          body.spec.limits = [{ type: 'Pod', max: { 'requests.example.com/x': '1', storage: '1' } }]
        },
        [
          'spec.limits[0].max[requests.example.com/x]: Invalid value: "requests.example.com/x": doesn\'t follow extended resource name standard',
          'spec.limits[0].max[storage]: Invalid value: "storage": must be a standard resource for containers',
        ],
      ],
    ],
    cells: {},
    masked: ['Created At'],
  },
  {
    path: '/api/v1/namespaces/kube-public/resourcequotas',
    good: {
      spec: {
        hard: { pods: '10', 'limits.cpu': '2', 'requests.cpu': '1' },
        scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] },
      },
    },
    invalid: [
      [
        'names and amounts that cannot be',
        body => {
          body.spec = { hard: { nonsense: '1', pods: '1500m', 'requests.cpu': '-1' } }
        },
        [
          'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource type or fully qualified',
          'spec.hard[nonsense]: Invalid value: "nonsense": must be a standard resource for quota',
          'spec.hard[pods]: Invalid value: "1500m": must be an integer',
          'spec.hard[requests.cpu]: Invalid value: "-1": must be greater than or equal to 0',
        ],
      ],
      [
        'scopes that contradict each other or what is bounded',
        body => {
          body.spec = { hard: { services: '1' }, scopes: ['Terminating', 'NotTerminating'] }
        },
        [
          'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: unsupported scope applied to resource',
          'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
        ],
      ],
      [
        'values where there are none, none where there are some',
        body => {
          body.spec.scopeSelector.matchExpressions = [
            { scopeName: 'PriorityClass', operator: 'NotIn' },
            { scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] },
            { scopeName: 'BestEffort', operator: 'In', values: ['a'] },
          ]
          body.spec.hard = { pods: '1' }
        },
        [
          "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
          'spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be \'Exists\' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity',
        ],
      ],
    ],
    immutable: [
      [
        'scopes stay',
        body => {
          body.spec.scopes = ['PriorityClass']
        },
        ['spec.scopes: Invalid value: ["PriorityClass"]: field is immutable'],
      ],
    ],
    cells: {},
    masked: ['Request', 'Limit'],
  },
])
