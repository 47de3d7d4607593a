/** Laws that hold for any cluster, however it came about. */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { recordTypes } from '#resolver/wire/codes.ts'
import { nameData, srvData } from '#resolver/wire/rdata.ts'
import { toCaseRecord } from '../../conformance/presentation.ts'
import { StaticCluster } from '../../support/static-cluster.ts'
import { TestZone } from '../../support/zone.ts'
import { applyChange, changes, existing, probes, reverseName } from './cluster-model.ts'

/** A name that may be an alias is asked for its CNAME, so that nobody is asked in turn. */
const isAlias = (zone: TestZone, name: string): boolean => zone.answer(name, 'CNAME').answers.length > 0

/** Runs `law` on many clusters; it says how many cases of it there were, and there must have been some. */
const holds = (t: ExecutionContext, law: (zone: TestZone, names: ReadonlySet<string>) => number): void => {
  let count = 0
  fc.assert(
    fc.property(changes, list => {
      const cluster = new StaticCluster()
      const zone = new TestZone(cluster)
      for (const change of list) applyChange(cluster, change)
      count += law(zone, existing(cluster))
    }),
    { numRuns: 30 },
  )
  t.true(count > 30, `${count} cases`)
}

const addressLines = (zone: TestZone, name: string): readonly string[] =>
  (['A', 'AAAA'] as const).flatMap(family => zone.ask(name, family).slice(1))

test('a name is NXDOMAIN exactly if nothing exists at it and below it (RFC 8020)', t =>
  holds(t, (zone, names) => {
    const probed = probes(names)
    for (const name of probed) {
      const exists = zone.answer(name, 'CNAME').rcode === 0
      if (exists !== names.has(name)) throw new Error(`${name} ${exists ? 'exists' : 'does not exist'}`)
    }
    return probed.size
  }))

test('every target of an SRV record resolves to the addresses beside it', t =>
  holds(t, (zone, names) => {
    const answers = [...names].filter(name => !isAlias(zone, name)).map(name => zone.answer(name, 'SRV'))
    for (const { answers: records, additional } of answers) {
      for (const { data } of records) {
        const { target } = srvData.decode(data)
        const found = addressLines(zone, target)
        const glue = additional.filter(record => record.name === target).map(toCaseRecord)
        // An SRV may leave out addresses of the target whose slice lacks the port; it must have one, and invent none.
        const stray = glue.filter(record => !found.includes(`${target} ${record.type} ${record.data}`))
        if (glue.length === 0 || stray.length > 0) throw new Error(`${target}: ${JSON.stringify(stray)}`)
      }
    }
    return answers.reduce((count, { answers: records }) => count + records.length, 0)
  }))

test('a reverse name leads to names that have the address', t =>
  holds(t, (zone, names) => {
    const pointers = [...names].flatMap(name =>
      zone
        .answer(name, 'PTR')
        .answers.flatMap(({ type, data }) =>
          type === recordTypes.PTR ? [{ name, target: nameData.decode(data) }] : [],
        ),
    )
    for (const { name, target } of pointers) {
      const back = addressLines(zone, target).map(line => reverseName(line.split(' ').at(-1)!))
      if (!back.includes(name)) throw new Error(`${name} → ${target} → ${back}`)
    }
    return pointers.length
  }))

test('every address of a service and its endpoints has a reverse name', t =>
  holds(t, (zone, names) => {
    const lines = [...names]
      .filter(name => name.includes('.svc.') && !isAlias(zone, name))
      .flatMap(name => addressLines(zone, name))
    for (const line of lines) {
      const back = zone.ask(reverseName(line.split(' ').at(-1)!), 'PTR')
      if (back.length === 1) throw new Error(`${line} has no reverse name`)
    }
    return lines.length
  }))

test('an index kept in step equals one made from the end state, and the serial grows with what is seen', t => {
  fc.assert(
    fc.property(changes, list => {
      const cluster = new StaticCluster()
      const zone = new TestZone(cluster)
      let serial = zone.index.serial
      let seen = snapshot(zone, cluster)
      for (const change of list) {
        applyChange(cluster, change)
        const now = snapshot(zone, cluster)
        if (now !== seen && zone.index.serial <= serial) throw new Error('the serial stood still')
        serial = zone.index.serial
        seen = now
      }
      const fresh = snapshot(new TestZone(cluster), cluster)
      if (seen !== fresh) throw new Error(`differs from\n${fresh}`)
    }),
    { numRuns: 10 },
  )
  t.pass()
})

const snapshot = (zone: TestZone, cluster: StaticCluster): string =>
  [...probes(existing(cluster))]
    .toSorted()
    .map(name => {
      if (isAlias(zone, name)) return `${name} alias`
      return (['A', 'AAAA', 'SRV', 'PTR'] as const).map(type => `${name} ${zone.ask(name, type).toSorted()}`).join('\n')
    })
    .join('\n')
