/** What `kubectl get pods` shows of a Pod. */
import test from 'ava'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { prepared } from '../../../support/api-objects.ts'
import { main, one, pod, type Spec } from '../../../support/pod-bodies.ts'

const NOW = Date.UTC(2031, 0, 1)
const running = (rest: object = {}) => ({ name: 'c', ready: true, restartCount: 0, state: { running: {} }, ...rest })
const rows: readonly [string, Spec, object, object, readonly [string, string, string]][] = [
  ['pending', {}, { phase: 'Pending' }, {}, ['0/1', 'Pending', '0']],
  ['running', {}, { phase: 'Running', containerStatuses: [running()] }, {}, ['1/1', 'Running', '0']],
  [
    'crashing',
    {},
    {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'c',
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { finishedAt: '2030-12-31T23:55:00Z' } },
        },
      ],
    },
    {},
    ['0/1', 'CrashLoopBackOff', '3 (5m ago)'],
  ],
  [
    'completed',
    {},
    {
      phase: 'Succeeded',
      containerStatuses: [{ name: 'c', restartCount: 0, state: { terminated: { reason: 'Completed' } } }],
    },
    {},
    ['0/1', 'Completed', '0'],
  ],
  [
    'ended by a signal',
    {},
    { phase: 'Failed', containerStatuses: [{ name: 'c', restartCount: 0, state: { terminated: { signal: 9 } } }] },
    {},
    ['0/1', 'Signal:9', '0'],
  ],
  [
    'ended with a code',
    {},
    { phase: 'Failed', containerStatuses: [{ name: 'c', restartCount: 0, state: { terminated: { exitCode: 2 } } }] },
    {},
    ['0/1', 'ExitCode:2', '0'],
  ],
  [
    'initialising',
    {
      initContainers: [
        { name: 'i', image: 'i' },
        { name: 'j', image: 'i' },
      ],
    },
    {
      phase: 'Pending',
      initContainerStatuses: [
        { name: 'i', state: { terminated: { exitCode: 0 } } },
        { name: 'j', state: { running: {} } },
      ],
    },
    {},
    ['0/1', 'Init:1/2', '0'],
  ],
  [
    'initialisation failed',
    { initContainers: [{ name: 'i', image: 'i' }] },
    {
      phase: 'Pending',
      initContainerStatuses: [{ name: 'i', state: { terminated: { exitCode: 1, reason: 'Error' } } }],
    },
    {},
    ['0/1', 'Init:Error', '0'],
  ],
  [
    'with a sidecar',
    { initContainers: [{ name: 'i', image: 'i', restartPolicy: 'Always' }] },
    {
      phase: 'Running',
      initContainerStatuses: [{ name: 'i', ready: true, started: true, restartCount: 2, state: { running: {} } }],
      containerStatuses: [running()],
    },
    {},
    ['2/2', 'Running', '2'],
  ],
  [
    'gated',
    {},
    { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    {},
    ['0/1', 'SchedulingGated', '0'],
  ],
  ['evicted', {}, { phase: 'Failed', reason: 'Evicted' }, {}, ['0/1', 'Evicted', '0']],
  [
    'going',
    {},
    { phase: 'Running', containerStatuses: [running()] },
    { deletionTimestamp: '2030-12-31T23:59:59Z' },
    ['1/1', 'Terminating', '0'],
  ],
  [
    'going with its node',
    {},
    { phase: 'Running', reason: 'NodeLost' },
    { deletionTimestamp: '2030-12-31T23:59:59Z' },
    ['0/1', 'Unknown', '0'],
  ],
]
for (const [title, spec, status, metadata, expected] of rows) {
  test(`columns: ${title}`, t => {
    const object = prepared(podKind, one({}, spec))
    object.status = status
    Object.assign(object.metadata, metadata)
    t.deepEqual(
      podKind.columns.slice(0, 3).map(column => column.value(object, NOW)),
      [...expected],
    )
  })
}

test('one container ended and another goes on: the pod does', t => {
  const containerStatuses = [
    { name: 'c', restartCount: 0, state: { terminated: { reason: 'Completed' } } },
    running({ name: 'd' }),
  ]
  const shown = (status: object) => {
    const object = prepared(podKind, pod({ containers: [main(), main({ name: 'd' })] }))
    object.status = { phase: 'Running', containerStatuses, ...status }
    return podKind.columns[1]?.value(object, NOW)
  }
  t.is(shown({ conditions: [{ type: 'Ready', status: 'True' }] }), 'Running')
  t.is(shown({}), 'NotReady')
})

test('wide columns', t => {
  const object = prepared(
    podKind,
    one({}, { nodeName: 'node-1', readinessGates: [{ conditionType: 'example.com/up' }] }),
  )
  object.status = { podIPs: [{ ip: '10.244.0.7' }], conditions: [{ type: 'example.com/up', status: 'True' }] }
  t.deepEqual(
    podKind.columns.slice(4).map(({ name }) => name),
    ['IP', 'Node', 'Nominated Node', 'Readiness Gates'],
  )
  t.deepEqual(
    podKind.columns.slice(4).map(column => column.value(object, NOW)),
    ['10.244.0.7', 'node-1', '<none>', '1/1'],
  )
})
