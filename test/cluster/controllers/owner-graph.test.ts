import test from 'ava'
import fc from 'fast-check'
import type { ObjectMeta } from '#cluster/api/object.ts'
import { FOREGROUND, ORPHAN, OwnerGraph } from '#cluster/controllers/owner-graph.ts'

const resource = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' }
const UIDS = ['a', 'b', 'c', 'd']

const FINALIZERS = { none: undefined, dependents: [FOREGROUND], orphaning: [ORPHAN], others: ['example.org/hold'] }
type Deletion = keyof typeof FINALIZERS

interface Step {
  readonly uid: string
  readonly owners: readonly string[]
  readonly deletion: Deletion | 'gone'
}

const metadataOf = ({ uid, owners }: Step, deletion: Deletion): ObjectMeta => ({
  namespace: 'default',
  name: uid,
  uid,
  ownerReferences: owners.map(owner => ({ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid: owner })),
  ...(FINALIZERS[deletion] ? { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: FINALIZERS[deletion] } : {}),
})

const steps = fc.array(
  fc.record<Step>({
    uid: fc.constantFrom(...UIDS),
    owners: fc.uniqueArray(fc.constantFrom(...UIDS, 'never'), { maxLength: 3 }),
    deletion: fc.constantFrom('none', 'none', 'dependents', 'orphaning', 'others', 'gone'),
  }),
  { maxLength: 30 },
)

/** Who must be looked at after `step`, given all objects before it and after it. */
const expectedOf = (step: Step, before: ReadonlyMap<string, Step>, after: ReadonlyMap<string, Step>): Set<string> => {
  const { uid, owners, deletion } = step
  const due = new Set<string>()
  const former = before.get(uid)
  const dependents = [...after.values()].filter(other => other.owners.includes(uid)).map(other => other.uid)
  const waits = (owner: string) => after.get(owner)?.deletion === 'dependents'
  if (deletion === 'gone') for (const dependent of dependents) due.add(dependent)
  const kept = deletion === 'gone' ? [] : owners
  for (const owner of former?.owners ?? []) if (!kept.includes(owner) && waits(owner)) due.add(owner)
  const joined = kept.filter(owner => !former?.owners.includes(owner))
  if (deletion === 'none' && joined.some(owner => waits(owner) || !after.has(owner))) due.add(uid)
  if (former?.deletion === deletion) return due
  if (deletion === 'dependents') for (const other of [uid, ...dependents]) due.add(other)
  if (deletion === 'orphaning') due.add(uid)
  return due
}

test('law: it knows the dependents of all, and names whom a change may concern', t => {
  const law = fc.property(steps, all => {
    const objects = new Map<string, Step>()
    const graph = new OwnerGraph((_node, { uid }) => objects.has(uid))
    for (const step of all) {
      const { uid, deletion } = step
      const before = new Map(objects)
      const previous = before.get(uid) && metadataOf(step, 'none')
      if (deletion === 'gone') objects.delete(uid)
      else objects.set(uid, step)
      if (deletion === 'gone' && !previous) continue
      const current = deletion === 'gone' ? undefined : metadataOf(step, deletion)
      const due = graph.take({ resource, current, previous })
      t.deepEqual([...new Set(due)].sort(), [...expectedOf(step, before, objects)].sort())
      for (const owner of [...UIDS, 'never']) {
        const node = { resource, metadata: { uid: owner, namespace: 'default' } }
        const found = [...graph.dependentsOf(node)].map(({ metadata }) => metadata.uid).sort()
        const wanted = [...objects.values()].filter(({ owners }) => owners.includes(owner)).map(other => other.uid)
        t.deepEqual(found, wanted.sort())
      }
    }
  })
  fc.assert(law, { numRuns: 300 })
})

test('an owner in a namespace has no dependents elsewhere; one that lies in none has them anywhere', t => {
  const graph = new OwnerGraph(() => true)
  const step = { uid: 'a', owners: ['b'], deletion: 'none' } as const
  graph.take({ resource, current: metadataOf(step, 'none'), previous: undefined })
  const count = (metadata: ObjectMeta) =>
    [...graph.dependentsOf({ resource, metadata: { uid: 'b', ...metadata } })].length
  t.is(count({ namespace: 'default' }), 1)
  t.is(count({ namespace: 'other' }), 0)
  t.is(count({}), 1)
})
