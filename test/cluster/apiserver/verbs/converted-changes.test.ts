import test from 'ava'
import type { Kind } from '#cluster/api/kind.ts'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { type Status, unexplained } from '#cluster/api/status.ts'
import { encodeStored, StoredObject } from '#cluster/apiserver/storage/stored-object.ts'
import { ObjectEvent } from '#cluster/apiserver/storage/watch-cache.ts'
import { ConvertedChanges } from '#cluster/apiserver/verbs/converted-changes.ts'
import { accepted, type Result, refused } from '#lib/result.ts'

interface Review {
  readonly objects: readonly ApiObject[]
  readonly answer: (result: Result<readonly ApiObject[], Status>) => void
}

/** A kind whose webhook answers when the test says so. */
const slowKind = (reviews: Review[]): Kind => ({
  ...configMapKind,
  storage: {
    group: '',
    resource: 'configmaps',
    toStored: object => ({ ...object }),
    fromStored: object => ({ ...object }),
    converter: {
      storedAs: 'v0',
      convert: objects => new Promise(answer => void reviews.push({ objects, answer })),
    },
  },
})

const start = () => {
  const reviews: Review[] = []
  const kind = slowKind(reviews)
  const delivered: number[] = []
  const problems: Status[] = []
  let revision = 10
  const changes = new ConvertedChanges({
    kind,
    whole: true,
    revision: () => revision,
    deliver: ({ event }) => void delivered.push(event.revision),
    failed: problem => void problems.push(problem),
  })
  const take = (): void => {
    revision++
    const object: ApiObject = { kind: 'ConfigMap', apiVersion: 'v0', metadata: { name: 'a', namespace: 'n' } }
    const value = encodeStored(kind, object)
    const stored = StoredObject.decode(kind, 'n/a', { value, modRevision: revision })
    changes.take(new ObjectEvent(revision, stored, undefined))
  }
  const next = async (): Promise<Review> => {
    while (reviews.length === 0) await new Promise(resolve => setImmediate(resolve))
    return reviews.shift()!
  }
  const honest = ({ objects }: Review) =>
    accepted(objects.map(object => ({ ...structuredClone(object), apiVersion: 'v1' })))
  return { changes, delivered, problems, take, next, honest, revision: () => revision }
}

test('what is reached is never ahead of what was delivered', async t => {
  const { changes, delivered, take, next, honest } = start()
  take()
  t.is(changes.reached, 10)
  changes.open()
  take()
  take()
  const first = await next()
  t.deepEqual([changes.reached, first.objects.length, delivered], [10, 1, []])
  first.answer(honest(first))
  // What came meanwhile is converted together.
  const second = await next()
  t.deepEqual([changes.reached, second.objects.length, delivered], [11, 2, [11]])
  second.answer(honest(second))
  while (delivered.length < 3) await new Promise(resolve => setImmediate(resolve))
  t.deepEqual([changes.reached, delivered], [13, [11, 12, 13]])
})

test('a change that cannot be converted is the end, and nothing behind it is delivered', async t => {
  const { changes, delivered, problems, take, next } = start()
  changes.open()
  take()
  const review = await next()
  take()
  review.answer(refused(unexplained('no')))
  while (problems.length === 0) await new Promise(resolve => setImmediate(resolve))
  take()
  t.deepEqual(
    problems.map(({ message }) => message),
    ['no'],
  )
  t.deepEqual([delivered, changes.reached], [[], 10])
})

test('a webhook that does not answer ends a watch before memory grows', async t => {
  const { changes, delivered, problems, take } = start()
  changes.open()
  for (let count = 0; count < 5000; count++) take()
  t.deepEqual(
    problems.map(({ code, reason }) => [code, reason]),
    [[410, 'Expired']],
  )
  changes.close()
  t.deepEqual(delivered, [])
})
