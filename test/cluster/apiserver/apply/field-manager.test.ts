/** Who owns what after a write: laws over objects, and what the comparison with Kubernetes cannot show. */
import test from 'ava'
import fc from 'fast-check'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { eventKind } from '#cluster/api/kinds/event.ts'
import { eventsEventKind } from '#cluster/api/kinds/events-event.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject, ManagedFieldsEntry } from '#cluster/api/object.ts'
import {
  applyConfiguration,
  type FieldWrite,
  managedFieldsAfterUpdate,
} from '#cluster/apiserver/apply/field-manager.ts'
import { difference, type FieldSet, isEmptySet, pathsOf, union } from '#cluster/apiserver/apply/field-set.ts'

type JsonObject = Record<string, unknown>

const write = (kind: Kind, manager: string, more: Partial<FieldWrite> = {}): FieldWrite => ({
  kind,
  versions: [kind],
  subresource: undefined,
  manager,
  time: '2031-01-01T00:00:00Z',
  ...more,
})

const configMap = (data: Readonly<Record<string, string>>): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', uid: 'u' },
  data,
})

const owned = (object: ApiObject, entries: ManagedFieldsEntry[] | undefined): ApiObject =>
  encodeObject(
    { ...object, metadata: { ...object.metadata, ...(entries ? { managedFields: entries } : {}) } },
    object.kind === 'Pod' ? podKind.type : configMapKind.type,
  )

const created = (data: Readonly<Record<string, string>>, manager = 'maker'): ApiObject =>
  owned(configMap(data), managedFieldsAfterUpdate(write(configMapKind, manager), undefined, configMap(data)))

const updated = (
  current: ApiObject,
  data: Readonly<Record<string, string>>,
  by: Partial<FieldWrite> & { manager: string },
) => owned(configMap(data), managedFieldsAfterUpdate(write(configMapKind, by.manager, by), current, configMap(data)))

const applied = (
  current: ApiObject | undefined,
  data: Readonly<Record<string, string>>,
  manager: string,
  force = false,
) => {
  const configuration = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data }
  const result = applyConfiguration(write(configMapKind, manager), current, configuration, force)
  if (!result.ok) return result.problem.message ?? ''
  const { metadata, ...rest } = result.value.value
  const identity = { name: 'a', namespace: 'default', uid: 'u' }
  return owned({ ...rest, metadata: { ...(metadata as object), ...identity } } as ApiObject, result.value.managedFields)
}

const setsOf = ({ metadata }: ApiObject): FieldSet[] =>
  (metadata.managedFields ?? []).map(({ fieldsV1 }) => fieldsV1 as FieldSet)

const owners = ({ metadata }: ApiObject): Record<string, string[]> =>
  Object.fromEntries(
    (metadata.managedFields ?? []).map(({ manager = '', fieldsV1 }) => [
      manager,
      Object.keys((fieldsV1 as Record<string, FieldSet>)['f:data'] ?? {}).filter(name => name !== '.'),
    ]),
  )

const texts = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'))
const managers = fc.constantFrom('one', 'two', 'three')
const step = fc.record({ apply: fc.boolean(), force: fc.boolean(), manager: managers, data: texts })

test('whatever is written by whom, every field of a tracked object has an owner, and nobody owns what is not there', t => {
  fc.assert(
    fc.property(texts, fc.array(step, { maxLength: 8 }), (first, steps) => {
      let current = created(first)
      for (const { apply, force, manager, data } of steps) {
        const next = apply ? applied(current, data, manager, force) : updated(current, data, { manager })
        if (typeof next !== 'string') current = next
        // With its last field gone nobody is left to track, as in Kubernetes.
        if (!current.metadata.managedFields) continue
        const everybody = setsOf(current).reduce(union, {})
        const fields = Object.keys((current.data ?? {}) as object).map(key => ['f:data', `f:${key}`])
        const held = pathsOf(everybody).filter(path => path.length === 2)
        t.deepEqual(held.map(String).sort(), fields.map(String).sort())
      }
    }),
  )
})

test('applying twice is applying once', t => {
  fc.assert(
    fc.property(texts, fc.array(step, { maxLength: 5 }), texts, (first, steps, data) => {
      let current = created(first)
      for (const { manager, data: given } of steps) current = updated(current, given, { manager })
      const once = applied(current, data, 'applier', true)
      if (typeof once === 'string') return t.fail(once)
      t.deepEqual(applied(once, data, 'applier', true), once)
      t.deepEqual(applied(once, data, 'applier'), once, 'and needs no force any more')
    }),
  )
})

test('an apply owns what it names, whoever owned it before, and conflicts exactly where a value differs', t => {
  fc.assert(
    fc.property(texts, texts, (first, data) => {
      const current = created(first, 'maker')
      const differs = Object.keys(data).filter(key => key in first && first[key] !== data[key])
      const result = applied(current, data, 'applier')
      if (differs.length > 0) {
        t.true(typeof result === 'string' && differs.every(key => result.includes(`.data.${key}`)), String(result))
        return
      }
      if (typeof result === 'string') return t.fail(result)
      t.deepEqual(
        owners(result).applier ?? [],
        Object.keys(data)
          .map(key => `f:${key}`)
          .sort(),
      )
    }),
  )
})

test('eleven who update become ten, the oldest together', t => {
  let current = created({ k0: '0' }, 'm0')
  const at = (index: number) => `2031-01-01T00:00:${String(index).padStart(2, '0')}Z`
  const data: Record<string, string> = { k0: '0' }
  for (let index = 1; index <= 11; index++) {
    data[`k${index}`] = String(index)
    current = updated(current, data, { manager: `m${index}`, time: at(index) })
  }
  const entries = current.metadata.managedFields ?? []
  t.is(entries.length, 10)
  t.deepEqual(owners(current)['ancient-changes'], ['f:k0', 'f:k1', 'f:k2'])
  t.is(entries.find(({ manager }) => manager === 'ancient-changes')?.time, at(2), 'as old as the youngest of them')
  t.deepEqual(owners(current).m11, ['f:k11'])
})

test('appliers are not counted among those ten', t => {
  let current = created({ k: '0' }, 'm')
  for (let index = 0; index < 12; index++) {
    const next = applied(current, { [`a${index}`]: '1' }, `applier-${index}`)
    if (typeof next !== 'string') current = next
  }
  t.is(current.metadata.managedFields?.length, 13)
})

test('entries stand by operation, then by age', t => {
  let current = created({ a: '1' }, 'zoe')
  current = updated(current, { a: '1', b: '1' }, { manager: 'adam', time: '2032-01-01T00:00:00Z' })
  const next = applied(current, { c: '1' }, 'max')
  t.true(typeof next !== 'string')
  if (typeof next === 'string') return
  const said = next.metadata.managedFields?.map(({ manager, operation }) => `${operation} ${manager}`)
  t.deepEqual(said, ['Apply max', 'Update zoe', 'Update adam'])
})

test('an entry that did not change is the very same, and so is its time', t => {
  const current = created({ a: '1' })
  const next = updated(current, { a: '1', b: '2' }, { manager: 'other', time: '2040-01-01T00:00:00Z' })
  t.deepEqual(next.metadata.managedFields?.[0], current.metadata.managedFields?.[0])
})

test('a client may forget owners, may not make nonsense of them, and then nothing is tracked until somebody applies', t => {
  const current = created({ a: '1' })
  const given = (entries: unknown[]): ApiObject => ({
    ...configMap({ a: '2' }),
    metadata: { ...configMap({}).metadata, managedFields: entries as ManagedFieldsEntry[] },
  })
  const after = (entries: unknown[]) => managedFieldsAfterUpdate(write(configMapKind, 'w'), current, given(entries))
  t.is(after([]), undefined)
  t.is(after([{}]), undefined)
  const valid = { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:b': {} } }
  const silent = managedFieldsAfterUpdate(write(configMapKind, 'w'), current, configMap({ a: '2' }))
  for (const change of [{ operation: 'Wrong' }, { apiVersion: '' }, { fieldsType: 'V2' }, { fieldsV1: { b: {} } }]) {
    t.deepEqual(after([{ ...valid, ...change }]), silent, 'as if nothing had been said')
  }
  t.deepEqual(
    after([valid])
      ?.map(({ manager }) => manager)
      .sort(),
    ['w', 'x'],
  )
  const untracked = owned(configMap({ a: '2' }), undefined)
  t.is(managedFieldsAfterUpdate(write(configMapKind, 'w'), untracked, configMap({ a: '3' })), undefined)
  t.regex(String(applied(untracked, { a: '4' }, 'applier')), /conflict with "before-first-apply" using v1: \.data\.a/)
})

test('who owned fields in a version that is no more owns none', t => {
  const gone = {
    manager: 'old',
    operation: 'Apply',
    apiVersion: 'v0',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:data': { 'f:a': {} } },
  }
  const current = owned(configMap({ a: '1' }), [gone])
  t.deepEqual(owners(updated(current, { a: '1', b: '1' }, { manager: 'w' })), { w: ['f:b'] })
})

const EVENT: ApiObject = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'default', uid: 'u' },
  involvedObject: { kind: 'Pod', name: 'p' },
  reason: 'Made',
  message: 'first',
  type: 'Normal',
}

test('two versions of one object know each other’s owners', t => {
  const versions = [eventKind, eventsEventKind]
  const entries = managedFieldsAfterUpdate(write(eventKind, 'core', { versions }), undefined, EVENT)
  const stored = encodeObject(
    { ...EVENT, metadata: { ...EVENT.metadata, managedFields: entries ?? [] } },
    eventKind.type,
  )
  const seen = eventsEventKind.storage?.fromStored(structuredClone(stored))
  t.truthy(seen)
  if (!seen) return
  const next = { ...structuredClone(seen), note: 'second' }
  const after = managedFieldsAfterUpdate(write(eventsEventKind, 'new', { versions }), seen, next) ?? []
  const set = (manager: string) => after.find(entry => entry.manager === manager)?.fieldsV1 as FieldSet
  t.deepEqual(set('new'), { 'f:note': {} })
  t.is(after.find(({ manager }) => manager === 'new')?.apiVersion, 'events.k8s.io/v1')
  t.true('f:reason' in set('core'))
  t.false('f:message' in set('core'), 'the note is the other version’s message')
})

test('a write to status owns no spec, and one to the object no status', t => {
  const pod: ApiObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', uid: 'u' },
    spec: { containers: [{ name: 'c', image: 'i' }] },
    status: { phase: 'Running' },
  }
  const entries = managedFieldsAfterUpdate(write(podKind, 'm'), undefined, pod) ?? []
  t.deepEqual(Object.keys(entries[0]?.fieldsV1 as JsonObject), ['f:spec'])
  const next = { ...structuredClone(pod), status: { phase: 'Failed' }, spec: { containers: [{ name: 'd' }] } }
  next.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: 'y' }]
  const status = write(podKind, 'kubelet', { subresource: 'status' })
  const after = managedFieldsAfterUpdate(status, owned(pod, entries), next) ?? []
  const own = after.find(({ subresource }) => subresource === 'status')
  t.like(own, { manager: 'kubelet', operation: 'Update', subresource: 'status' })
  t.deepEqual(own?.fieldsV1, { 'f:status': { 'f:phase': {} } })
  t.true(
    isEmptySet(
      difference(entries[0]?.fieldsV1 as FieldSet, after.find(({ manager }) => manager === 'm')?.fieldsV1 as FieldSet),
    ),
  )
})

test('no entries and no configuration that strangers send make it throw, or reach a prototype', t => {
  const steps = fc.oneof(
    fc.constantFrom('f:spec', 'f:containers', 'k:{"name":"c"}', 'k:{}', 'v:1', 'i:0', '.', 'f:__proto__', 'f:metadata'),
    fc.constantFrom('f:labels', 'f:finalizers', 'v:"x"', 'f:nodeSelector', 'f:', 'k:{"name":null}', 'x:1'),
  )
  const { fields } = fc.letrec(tie => ({
    fields: fc.dictionary(steps, fc.oneof({ maxDepth: 4 }, fc.constant({}), tie('fields')), { maxKeys: 3 }),
  }))
  const entry = fc.record({
    manager: fc.constantFrom('a', 'b'),
    operation: fc.constantFrom('Apply', 'Update'),
    apiVersion: fc.constantFrom('v1', 'v2'),
    fieldsType: fc.constant('FieldsV1'),
    fieldsV1: fields,
  })
  const base = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', uid: 'u', labels: { x: 'y' }, finalizers: ['x'] },
    spec: { containers: [{ name: 'c', image: 'i' }], nodeSelector: { a: 'b' } },
  }
  const configuration = fc.oneof(
    fc.jsonValue(),
    fc.constant(base),
    fc.record({ spec: fc.jsonValue(), metadata: fc.jsonValue() }),
  )
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 3 }), configuration, (entries, given) => {
      const next = { ...structuredClone(base), metadata: { ...base.metadata, managedFields: entries } } as ApiObject
      const kept = managedFieldsAfterUpdate(write(podKind, 'w'), base as ApiObject, next)
      const current = owned(base as ApiObject, kept)
      managedFieldsAfterUpdate(write(podKind, 'w'), current, { ...next, spec: {} })
      const sent = typeof given === 'object' && given !== null && !Array.isArray(given) ? given : {}
      const whole = { apiVersion: 'v1', kind: 'Pod', ...sent }
      for (const manager of ['a', 'kubectl']) applyConfiguration(write(podKind, manager), current, whole, true)
      t.deepEqual(Object.keys(Object.prototype), [])
    }),
    { numRuns: 500 },
  )
})
