import test from 'ava'
import fc from 'fast-check'
import { indexedAddress, keyOfAddress } from '#resolver/zone/address.ts'
import { AddressOwners } from '#resolver/zone/address-owners.ts'

interface Owner {
  readonly name: string
}

const namesOf = (owners: Iterable<Owner>): string[] => [...owners].map(({ name }) => name).sort()

const OWNERS: readonly Owner[] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]
const keys = fc.constantFrom(
  ...['0.0.0.0', '10.0.0.1', '10.0.0.2', '255.255.255.255', 'fd'.repeat(16), '0'.repeat(32)],
  ...Array.from({ length: 40 }, (_, index) => `10.1.0.${index}`),
)
const actions = fc.array(fc.record({ add: fc.boolean(), key: keys, owner: fc.constantFrom(...OWNERS) }), {
  maxLength: 300,
  size: 'max',
})

test('addresses have the owners that a map of sets would give them', t => {
  fc.assert(
    fc.property(actions, all => {
      const owners = new AddressOwners<Owner>()
      const model = new Map<string, Set<Owner>>()
      for (const { add, key, owner } of all) {
        const known = model.get(key) ?? new Set()
        if (add) {
          owners.add(indexedAddress(key), owner)
          model.set(key, known.add(owner))
        } else {
          owners.delete(indexedAddress(key), owner)
          known.delete(owner)
          if (known.size === 0) model.delete(key)
        }
      }
      t.deepEqual([...new Set([...owners.keys()].map(keyOfAddress))].sort(), [...model.keys()].sort())
      for (const key of ['10.0.0.1', '10.9.9.9', ...model.keys()]) {
        t.is(owners.has(indexedAddress(key)), model.has(key))
        t.deepEqual(namesOf(owners.get(indexedAddress(key))), namesOf(model.get(key) ?? []))
      }
    }),
  )
})
