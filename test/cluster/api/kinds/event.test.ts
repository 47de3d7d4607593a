import test from 'ava'
import fc from 'fast-check'
import { eventKind } from '#cluster/api/kinds/event.ts'
import { eventsEventKind } from '#cluster/api/kinds/events-event.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { validateUpdate } from '#cluster/api/validate.ts'
import { complaints, prepared, texts } from '../../../support/api-objects.ts'

const core = (rest: object = {}) => ({
  metadata: { name: 'e', namespace: 'default' },
  involvedObject: { kind: 'Pod', namespace: 'default', name: 'p', fieldPath: 'spec.containers{c}' },
  reason: 'Started',
  message: 'Started container c\n',
  source: { component: 'kubelet', host: 'node-1' },
  firstTimestamp: '2030-12-31T23:00:00Z',
  lastTimestamp: '2030-12-31T23:59:00Z',
  count: 4,
  type: 'Normal',
  ...rest,
})

const events = (rest: object = {}) => ({
  metadata: { name: 'e', namespace: 'default' },
  eventTime: '2031-01-01T00:00:00.000001Z',
  regarding: { kind: 'Pod', namespace: 'default', name: 'p' },
  reportingController: 'example.com/controller',
  reportingInstance: 'controller-1',
  action: 'Starting',
  reason: 'Started',
  note: 'It runs.',
  type: 'Normal',
  ...rest,
})

const { storage } = eventsEventKind

test('an event of the newer shape is stored in the older one', t => {
  t.deepEqual(storage?.toStored({ ...prepared(eventsEventKind, events()) }), {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: 'e', namespace: 'default' },
    eventTime: '2031-01-01T00:00:00.000001Z',
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    reportingComponent: 'example.com/controller',
    reportingInstance: 'controller-1',
    action: 'Starting',
    reason: 'Started',
    message: 'It runs.',
    type: 'Normal',
  })
  t.like(storage, { group: '', resource: 'events' })
})

test('neither shape loses anything on the way to the other and back', t => {
  const field = fc.constantFrom(
    'involvedObject',
    'message',
    'reportingComponent',
    'source',
    'firstTimestamp',
    'lastTimestamp',
    'count',
    'series',
    'type',
    'related',
  )
  fc.assert(
    fc.property(fc.dictionary(field, fc.jsonValue()), fields => {
      const event: ApiObject = { ...fields, apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' } }
      const back = storage?.toStored(storage.fromStored(event))
      t.deepEqual(back, event)
    }),
  )
})

test('events are about something in their own namespace', t => {
  const elsewhere = { kind: 'Pod', namespace: 'other', name: 'p' }
  t.deepEqual(complaints(eventKind, core({ involvedObject: elsewhere })), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ])
  t.deepEqual(complaints(eventKind, core({ involvedObject: { kind: 'Node', name: 'n' } })), [])
})

test('events with a time may be about something elsewhere; about a Node they live in one of two namespaces', t => {
  t.deepEqual(complaints(eventsEventKind, events({ regarding: { kind: 'Pod', namespace: 'other', name: 'p' } })), [])
  const about = (namespace: string) =>
    events({ metadata: { name: 'e', namespace }, regarding: { kind: 'Node', name: 'n' } })
  t.deepEqual(complaints(eventsEventKind, about('kube-system')), [])
  t.deepEqual(complaints(eventsEventKind, about('other')), [
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
  ])
})

const refusals: readonly [string, object, readonly string[]][] = [
  ['no time', { eventTime: null }, ['eventTime: Required value']],
  [
    'no reporter',
    { reportingController: '', reportingInstance: '' },
    ['reportingController: Required value', 'reportingInstance: Required value'],
  ],
  ['no action', { action: '' }, ['action: Required value']],
  [
    'a reason too long',
    { reason: 'x'.repeat(129) },
    [`reason: Invalid value: "${'x'.repeat(129)}": can have at most 128 characters`],
  ],
  ['a note too long', { note: 'x'.repeat(1025) }, ['note: Invalid value: "": can have at most 1024 characters']],
  ['a type that is none', { type: 'Odd' }, ['type: Invalid value: "": has invalid value: Odd']],
  [
    'a series of one',
    { series: { count: 1, lastObservedTime: '2031-01-01T00:00:00.000000Z' } },
    ['series.count: Invalid value: 1: should be at least 2'],
  ],
  ['a field of the older shape', { deprecatedCount: 3 }, ['deprecatedCount: Invalid value: 3: needs to be unset']],
]
for (const [title, rest, expected] of refusals) {
  test(`refused in events.k8s.io: ${title}`, t => t.deepEqual(complaints(eventsEventKind, events(rest)), [...expected]))
}

test('an event with eventTime is held to its rules in core/v1 too', t => {
  t.deepEqual(complaints(eventKind, core({ eventTime: '2031-01-01T00:00:00.000000Z' })), [
    'reportingComponent: Required value',
    'reportingInstance: Required value',
    'action: Required value',
  ])
})

test('only the series of an event goes on', t => {
  const current = prepared(eventsEventKind, events())
  current.metadata.resourceVersion = '1'
  const update = (rest: object) => {
    const next = { ...prepared(eventsEventKind, events(rest)) }
    next.metadata.resourceVersion = '1'
    return texts(validateUpdate(eventsEventKind, next, current))
  }
  t.deepEqual(update({ series: { count: 2, lastObservedTime: '2031-01-01T00:00:00.000000Z' } }), [])
  t.deepEqual(update({ note: 'It walks.' }), ['note: Invalid value: "It walks.": field is immutable'])
})

test('columns, the same for both names', t => {
  const now = Date.UTC(2031, 0, 1)
  const names = [
    'Last Seen',
    'Type',
    'Reason',
    'Object',
    'Subobject',
    'Source',
    'Message',
    'First Seen',
    'Count',
    'Name',
  ]
  const cells = [
    '60s',
    'Normal',
    'Started',
    'pod/p',
    'spec.containers{c}',
    'kubelet, node-1',
    'Started container c',
    '60m',
    4,
    'e',
  ]
  const event = prepared(eventKind, core())
  for (const [kind, object] of [
    [eventKind, event],
    [eventsEventKind, storage?.fromStored(event)],
  ] as const) {
    t.deepEqual(
      kind.columns.map(({ name }) => name),
      names,
    )
    t.deepEqual(
      kind.columns.map(column => object && column.value(object, now)),
      cells,
    )
  }
  const fresh = prepared(
    eventsEventKind,
    events({ series: { count: 5, lastObservedTime: '2031-01-01T00:00:00.000000Z' } }),
  )
  t.is(eventsEventKind.columns[0]?.value(fresh, now), '0s')
  t.is(eventsEventKind.columns[8]?.value(fresh, now), 5)
})

test('field selectors', t => {
  t.like(eventKind.selectableFields?.(prepared(eventKind, core())), {
    'involvedObject.kind': 'Pod',
    'involvedObject.name': 'p',
    reason: 'Started',
    type: 'Normal',
    source: 'kubelet',
  })
  t.like(eventsEventKind.selectableFields?.(prepared(eventsEventKind, events())), {
    'regarding.kind': 'Pod',
    reportingController: 'example.com/controller',
  })
})
