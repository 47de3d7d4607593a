import test from 'ava'
import fc from 'fast-check'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { eventsEventKind } from '#cluster/api/kinds/events-event.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { encodeStored, StoredObject } from '#cluster/apiserver/storage/stored-object.ts'
import { WatchCache } from '#cluster/apiserver/storage/watch-cache.ts'
import type { Change } from '#cluster/store/kv.ts'

const map = (name: string, data: Record<string, string> = {}, namespace = 'n'): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
})

const change = (revision: number, key: string, object: ApiObject | undefined): Change => ({
  type: object ? 'put' : 'delete',
  keyValue: {
    key: `/registry/configmaps/${key}`,
    value: object ? encodeStored(configMapKind, object) : new Uint8Array(),
    createRevision: 0,
    modRevision: revision,
    version: 0,
    lease: 0,
  },
})

test('an object comes back frozen, with its version, its JSON made of the stored bytes', t => {
  const value = encodeStored(configMapKind, map('a', { quote: '"resourceVersion":"9"' }))
  const stored = StoredObject.decode(configMapKind, 'n/a', { value, modRevision: 42 })
  t.is(stored.object.metadata.resourceVersion, '42')
  t.deepEqual(JSON.parse(stored.json.toString()), stored.object)
  t.throws(() => Object.assign(stored.object.metadata, { name: 'b' }))
  const later = stored.at(1234567)
  t.deepEqual(JSON.parse(later.json.toString()), later.object)
  t.is(later.object.metadata.resourceVersion, '1234567')
  t.is(stored.object.metadata.resourceVersion, '42')
  t.deepEqual(JSON.parse(`{${stored.itemTail.toString()}`), {
    metadata: stored.object.metadata,
    data: stored.object.data,
  })
})

test('a kind that is stored as another comes back as itself', t => {
  const event: ApiObject = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'n' },
    regarding: { kind: 'Pod', name: 'p', namespace: 'n' },
    note: 'it happened',
    reason: 'Tested',
    type: 'Normal',
  }
  const value = encodeStored(eventsEventKind, event)
  t.is(JSON.parse(value.toString()).apiVersion, 'v1')
  const { object, json } = StoredObject.decode(eventsEventKind, 'n/e', { value, modRevision: 7 })
  t.is(object.apiVersion, 'events.k8s.io/v1')
  t.is(object.note, 'it happened')
  t.deepEqual(JSON.parse(json.toString()), object)
})

test('law: whatever the changes, the cache holds the last state in key order, and history replays to it', t => {
  const step = fc.record({
    namespace: fc.constantFrom('a', 'a-b', 'ab'),
    name: fc.constantFrom('x', 'y', 'x-1', 'x.y'),
    data: fc.option(fc.string(), { nil: undefined }),
  })
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (steps, historySize) => {
        const cache = new WatchCache(configMapKind, historySize)
        const model = new Map<string, string>()
        const states: Map<string, string>[] = [new Map()]
        for (const [index, { namespace, name, data }] of steps.entries()) {
          const key = `${namespace}/${name}`
          if (data === undefined) model.delete(key)
          else model.set(key, data)
          cache.apply(change(index + 1, key, data === undefined ? undefined : map(name, { v: data }, namespace)))
          states.push(new Map(model))
        }
        const held = cache.list()
        if (held.map(({ key }) => key).join() !== [...model.keys()].sort().join()) return false
        for (const namespace of ['a', 'a-b', 'ab']) {
          const own = [...model.keys()].filter(key => key.startsWith(`${namespace}/`)).sort()
          if (
            cache
              .list(namespace)
              .map(({ key }) => key)
              .join() !== own.join()
          )
            return false
        }
        return states.every((state, revision) => {
          const history = cache.since(revision)
          if (!history) return revision < cache.floor
          const replayed = new Map(state)
          for (const { current, previous } of history) {
            if (current) replayed.set(current.key, (current.object.data as { v: string }).v)
            else if (previous) replayed.delete(previous.key)
          }
          return JSON.stringify([...replayed].sort()) === JSON.stringify([...model].sort())
        })
      }),
    ),
  )
})
