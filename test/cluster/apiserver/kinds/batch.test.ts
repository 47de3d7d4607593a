/** batch/v1 through the HTTP door. */
import anyTest, { type TestFn } from 'ava'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const BATCH = '/apis/batch/v1/namespaces/default'

const template = {
  metadata: { labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image: 'i:1' }], restartPolicy: 'Never' },
}
const indexed = { completionMode: 'Indexed', completions: 3 }
const cron = { schedule: '*/5 8-18 1,15 * mon-fri', jobTemplate: { spec: { template } } }

const schedule = (text: string, problem: string) =>
  [
    `the schedule ${text}`,
    (body: { spec: { schedule: string } }) => void (body.spec.schedule = text),
    [`spec.schedule: Invalid value: ${JSON.stringify(text)}: ${problem}`],
  ] as const

kindDoor(test, [
  {
    path: `${BATCH}/jobs`,
    good: { spec: { template, suspend: true } },
    defaults: {
      metadata: { generation: 1 },
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        podReplacementPolicy: 'TerminatingOrFailed',
        manualSelector: false,
        template: { metadata: { labels: { app: 'a', 'batch.kubernetes.io/job-name': 'x', 'job-name': 'x' } } },
      },
    },
    invalid: [
      [
        'pods without end',
        body => delete body.spec.template.spec.restartPolicy,
        ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
      ],
      [
        'less than none at once',
        body => (body.spec.parallelism = -1),
        ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
      ],
      [
        'an index for each of how many',
        body => Object.assign(body.spec, { completionMode: 'Indexed', parallelism: 2 }),
        ['spec.completions: Required value: when completion mode is Indexed'],
      ],
      [
        'a limit for each index of none',
        body => (body.spec.backoffLimitPerIndex = 1),
        ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
      ],
      [
        'more failures than indexes, and nobody counts them; a manager without a domain',
        body => Object.assign(body.spec, { ...indexed, maxFailedIndexes: 9, managedBy: 'me' }),
        [
          'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
          'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
          'spec.maxFailedIndexes: Invalid value: 9: must be less than or equal to completions',
        ],
      ],
      [
        'many indexes with a limit each',
        body =>
          Object.assign(body.spec, { ...indexed, completions: 100_001, parallelism: 10_001, backoffLimitPerIndex: 1 }),
        [
          'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
          'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
        ],
      ],
      [
        'rules about failures that say nothing, or too much',
        body =>
          (body.spec.podFailurePolicy = {
            rules: [
              { action: 'FailJob' },
              {
                action: 'FailIndex',
                onExitCodes: { operator: 'In', values: [3, 0, 3], containerName: 'none' },
                onPodConditions: [{ type: 'Ready', status: 'Maybe' }],
              },
            ],
          }),
        [
          'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
          'spec.podFailurePolicy.rules[1].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
          'spec.podFailurePolicy.rules[1].onExitCodes.containerName: Invalid value: "none": must be one of the container or initContainer names in the pod template',
          'spec.podFailurePolicy.rules[1].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
          'spec.podFailurePolicy.rules[1].onExitCodes.values[2]: Duplicate value: 3',
          'spec.podFailurePolicy.rules[1].onExitCodes.values: Invalid value: [3,0,3]: must be ordered',
          'spec.podFailurePolicy.rules[1].onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
          'spec.podFailurePolicy.rules[1]: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported',
        ],
      ],
      [
        'success before its end, of what has no indexes',
        body => (body.spec.successPolicy = { rules: [{ succeededCount: 1 }] }),
        [
          'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: requires indexed completion mode',
        ],
      ],
      [
        'success by indexes that are none, or not in order',
        body =>
          Object.assign(body.spec, {
            ...indexed,
            successPolicy: {
              rules: [{}, { succeededIndexes: '0,9' }, { succeededIndexes: '0-2,2', succeededCount: 4 }],
            },
          }),
        [
          'spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified',
          'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "0,9": error parsing succeededIndexes: too large index: "9"',
          'spec.successPolicy.rules[2].succeededIndexes: Invalid value: "0-2,2": error parsing succeededIndexes: non-increasing order, previous: 2, current: 2',
          'spec.successPolicy.rules[2].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)',
          'spec.successPolicy.rules[2].succeededCount: Invalid value: 4: must be less than or equal to 0 (the number of indexes in the specified succeededIndexes field)',
        ],
      ],
    ],
    immutable: [
      [
        'more completions',
        body => (body.spec.completions = 2),
        ['spec.completions: Invalid value: 2: field is immutable'],
      ],
      ['another place while it waits', body => (body.spec.template.spec.nodeSelector = { disk: 'ssd' }), []],
      ['it runs', body => (body.spec.suspend = false), []],
      [
        'another mode',
        body => (body.spec.completionMode = 'Indexed'),
        ['spec.completionMode: Invalid value: "Indexed": field is immutable'],
      ],
    ],
    status: { succeeded: 1, conditions: [{ type: 'Suspended', status: 'True' }] },
    cells: {
      Status: 'Suspended',
      Completions: '1/1',
      Duration: '',
      Containers: 'c',
      Images: 'i:1',
    },
    masked: ['Selector'],
  },
  {
    path: `${BATCH}/cronjobs`,
    good: { spec: cron },
    defaults: {
      metadata: { generation: 1 },
      spec: { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 },
    },
    invalid: [
      schedule('* * *', 'expected exactly 5 fields, found 3: [* * *]'),
      schedule('61 * * * *', 'end of range (61) above maximum (59): 61'),
      schedule('5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'),
      schedule('* * 0 * *', 'beginning of range (0) below minimum (1): 0'),
      schedule('*/0 * * * *', 'step of range should be a positive number: */0'),
      schedule('@often', 'unrecognized descriptor: @often'),
      schedule('TZ=UTC * * * * *', 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'),
      ['no schedule', body => delete body.spec.schedule, ['spec.schedule: Required value']],
      [
        'a zone that is none',
        body => (body.spec.timeZone = 'Mars/Olympus'),
        ['spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus'],
      ],
      [
        'a selector of its Jobs',
        body => (body.spec.jobTemplate.spec.selector = { matchLabels: { app: 'a' } }),
        ['spec.jobTemplate.spec.selector: Forbidden: `selector` will be auto-generated'],
      ],
      [
        'a name too long for Jobs',
        body => (body.metadata.name = 'a'.repeat(53)),
        [`metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`],
      ],
    ],
    immutable: [['another schedule', body => (body.spec.schedule = '@every 1h30m'), []]],
    status: { lastScheduleTime: '2020-01-01T00:00:00Z', active: [{ kind: 'Job', name: 'j', namespace: 'default' }] },
    cells: {
      Schedule: cron.schedule,
      Timezone: '<none>',
      Suspend: 'False',
      Active: 1,
      Containers: 'c',
      Images: 'i:1',
      Selector: '<none>',
    },
    masked: ['Last Schedule'],
  },
])
