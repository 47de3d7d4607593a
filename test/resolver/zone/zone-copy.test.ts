/** Whole zones (AXFR) against questions: any cluster, record by record, both ways. */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { recordTypes, typeName } from '#resolver/wire/codes.ts'
import { splitLabels } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { copyZone } from '#resolver/zone/zone-copy.ts'
import { StaticCluster } from '../../support/static-cluster.ts'
import { TestZone, ZONES } from '../../support/zone.ts'
import { applyChange, changes, existing } from './cluster-model.ts'

type TypeName = keyof typeof recordTypes

const setKey = ({ name, type }: ResourceRecord): string => `${name} ${typeName(type)}`
const linesOf = (records: readonly ResourceRecord[]): readonly string[] => records.map(recordToText).toSorted()

/** The RRsets of all zones, by name and type; the SOAs left out: they tell the time. */
const copies = (zone: TestZone): ReadonlyMap<string, readonly ResourceRecord[]> => {
  const records = ZONES.zones.flatMap(({ name }) => [...(copyZone(zone.zones, name)?.records ?? [])])
  return Map.groupBy(records, setKey)
}

/** What a question for this very name and type gets of it, without where an alias leads. */
const answered = (zone: TestZone, name: string, type: TypeName): readonly ResourceRecord[] =>
  zone.answer(name, type).answers.filter(record => record.name === name && record.type === recordTypes[type])

/** Runs `law` on many clusters; it says how many RRsets it saw. */
const holds = (t: ExecutionContext, law: (zone: TestZone, cluster: StaticCluster) => number): void => {
  let count = 0
  fc.assert(
    fc.property(changes, list => {
      const cluster = new StaticCluster()
      const zone = new TestZone(cluster)
      for (const change of list) applyChange(cluster, change)
      count += law(zone, cluster)
    }),
    { numRuns: 40 },
  )
  t.true(count > 100, `${count} RRsets`)
}

test('law: every RRset of a copy is what its question gets, TTLs and all', t =>
  holds(t, zone => {
    const sets = copies(zone)
    for (const [key, records] of sets) {
      const [name = '', type = ''] = key.split(' ')
      const found = linesOf(answered(zone, name, type as TypeName))
      if (found.join() !== linesOf(records).join()) throw new Error(`${key}: ${linesOf(records)} and not ${found}`)
    }
    return sets.size
  }))

/**
 * What the page on `transfer` leaves out: pods, `dns-version`, endpoints of services that have a cluster IP, and `ns.dns`
 * where NS names a service.
 */
const isLeftOut = (cluster: StaticCluster, name: string): boolean => {
  if (name.startsWith('ns.dns.')) return true
  const labels = splitLabels(name).toReversed()
  if (labels[0] !== 'local' || labels.length === 2) return false
  const [, , kind, namespace, service, endpoint] = labels
  if (kind !== 'svc') return true
  if (endpoint === undefined || endpoint.startsWith('_')) return false
  const found = [...cluster.services.entries()].find(
    ([, each]) => each.namespace === namespace && each.name === service,
  )
  return !found?.[1].headless
}

/** The types that a name is asked for; one that may be an alias for CNAME alone, so that nobody is asked in turn. */
const typesOf = (zone: TestZone, name: string): readonly TypeName[] =>
  answered(zone, name, 'CNAME').length > 0 ? ['CNAME'] : ['A', 'AAAA', 'SRV', 'PTR', 'NS']

test('law: every RRset that questions get is in a copy, but for what copies leave out', t =>
  holds(t, (zone, cluster) => {
    const sets = copies(zone)
    const names = [...existing(cluster)].filter(name => !isLeftOut(cluster, name))
    const questions = names.flatMap(name => typesOf(zone, name).map(type => [name, type] as const))
    let count = 0
    for (const [name, type] of questions) {
      const records = linesOf(answered(zone, name, type))
      const copied = records.length === 0 ? records : linesOf(sets.get(`${name} ${type}`) ?? [])
      if (copied.join() !== records.join()) throw new Error(`${name} ${type}: ${records} and not ${copied}`)
      count += Math.sign(records.length)
    }
    return count
  }))
