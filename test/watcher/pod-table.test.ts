import test from 'ava'
import fc from 'fast-check'
import { type PodFacts, PodTable } from '#watcher/pod-table.ts'

/** Few names and addresses, so that they meet; long names, so that segments fill up and are emptied. */
const pods = fc.record({
  namespace: fc.constantFrom('shop', 'stock', 'a'),
  name: fc.integer({ min: 0, max: 400 }).map(number => `${'long-name-'.repeat(20)}${number}`),
  ipv4: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4, max: 2 }), { nil: undefined }),
  ipv6: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16, max: 1 }), { nil: undefined }),
  hostNetwork: fc.boolean(),
  labels: fc.tuple(fc.option(fc.constantFrom('', 'web', 'ü'), { nil: undefined }), fc.constant(undefined)),
})

const actions = fc.oneof(
  { weight: 5, arbitrary: pods.map(pod => ({ act: 'put' as const, pod })) },
  { weight: 4, arbitrary: pods.map(pod => ({ act: 'remove' as const, pod })) },
  { weight: 1, arbitrary: fc.constant({ act: 'list' as const }) },
)

const keyOf = ({ namespace, name }: PodFacts): string => `${namespace}/${name}`

/** As a value that can be compared: addresses as hexadecimal text. */
const plain = ({ ipv4, ipv6, ...pod }: PodFacts): string =>
  JSON.stringify({ ...pod, labels: pod.labels.map(label => label ?? null), ipv4: hex(ipv4), ipv6: hex(ipv6) }, [
    'namespace',
    'name',
    'hostNetwork',
    'labels',
    'ipv4',
    'ipv6',
  ])

const hex = (bytes: Uint8Array | undefined): string => (bytes ? Buffer.from(bytes).toString('hex') : '')

/** The same by objects. */
class Model {
  readonly entries = new Map<string, PodFacts>()

  put(pod: PodFacts): boolean {
    const before = this.entries.get(keyOf(pod))
    this.entries.set(keyOf(pod), pod)
    return before === undefined || plain(before) !== plain(pod)
  }

  /** A list that sees every second pod again. */
  list(table: PodTable, list: number): void {
    for (const [key, pod] of [...this.entries]) {
      if (key.length % 2 === 0) table.put(pod, list)
      else this.entries.delete(key)
    }
    table.sweep(list)
  }

  at(address: string): readonly string[] {
    return [...this.entries.values()]
      .filter(pod => addressesOf(pod).includes(address))
      .map(plain)
      .sort()
  }
}

const addressesOf = ({ ipv4, ipv6 }: PodFacts): string[] => [hex(ipv4), hex(ipv6)].filter(text => text !== '')

test('a table says what a map of objects would say, whatever came and went', t => {
  fc.assert(
    fc.property(fc.array(actions, { maxLength: 800, size: 'max' }), all => {
      const table = new PodTable(['app', 'never'])
      const model = new Model()
      let list = 1
      for (const action of all) {
        if (action.act === 'list') model.list(table, (list = (list % 255) + 1))
        else if (action.act === 'put') t.is(table.put(action.pod, list), model.put(action.pod))
        else t.is(table.remove(action.pod.namespace, action.pod.name), model.entries.delete(keyOf(action.pod)))
      }
      t.is(table.size, model.entries.size)
      t.deepEqual([...table.entries()].map(plain).sort(), [...model.entries.values()].map(plain).sort())
      for (const pod of model.entries.values()) t.is(plain(table.named(pod.namespace, pod.name)!), plain(pod))
      t.is(table.named('nowhere', 'nobody'), undefined)
      for (const address of new Set([...model.entries.values()].flatMap(addressesOf)))
        t.deepEqual(table.find(Buffer.from(address, 'hex')).map(plain).sort(), model.at(address))
    }),
    { numRuns: 20 },
  )
})

const pod = (number: number): PodFacts => ({
  namespace: `team-${number % 100}`,
  name: `service-${number % 5000}-5d4b9c6f5d-${number.toString(36).padStart(5, 'x')}`,
  ipv4: Uint8Array.of(10, number >> 16, (number >> 8) & 255, number & 255),
  ipv6: undefined,
  hostNetwork: false,
  labels: [],
})

test('what comes and goes does not grow, in whatever order it goes', t => {
  const live = 5000
  for (const stride of [1, 7919]) {
    const table = new PodTable()
    for (let number = 0; number < live; number++) table.put(pod(number), 1)
    const before = table.byteLength
    // A window of pods moves on; within it they go one after the other, or all over the place.
    for (let round = 1; round <= 10; round++) {
      for (let number = 0; number < live; number++) {
        const old = pod((round - 1) * live + ((number * stride) % live))
        t.true(table.remove(old.namespace, old.name))
        table.put(pod(round * live + number), 1)
      }
    }
    t.is(table.size, live)
    t.true(table.byteLength <= 1.5 * before, `${before} bytes became ${table.byteLength}`)
  }
})

test('an address that nobody has finds nobody, of either family', t => {
  const table = new PodTable()
  t.deepEqual(table.find(Uint8Array.of(10, 0, 0, 1)), [])
  table.put(pod(1), 1)
  t.is(table.find(Uint8Array.of(10, 0, 0, 1)).length, 1)
  t.deepEqual(table.find(new Uint8Array(16)), [])
  t.true(table.remove('team-1', pod(1).name))
  t.false(table.remove('team-1', pod(1).name))
  t.deepEqual(table.find(Uint8Array.of(10, 0, 0, 1)), [])
})
