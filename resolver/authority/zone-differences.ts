/** Incremental transfers (RFC 1995): a zone made of the one before, less what went and with what came. */
import { setImmediate } from 'node:timers/promises'
import { accepted, type Result, refused } from '#lib/result.ts'
import { recordTypes } from '../wire/codes.ts'
import { canonicalName } from '../wire/name.ts'
import { soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { AuthorityZone } from './zone.ts'
import { ZoneBuilder } from './zone-builder.ts'

/** Records between two pauses. */
const STRIDE = 1000

/** From one serial to another. */
interface Difference {
  readonly from: number
  readonly removed: ResourceRecord[]
  to: number | undefined
  readonly added: ResourceRecord[]
}

const serialOf = (soa: ResourceRecord): number => soaData.decode(soa.data).serial

/** TTLs do not tell records apart. */
const keyOf = ({ name, type, data }: ResourceRecord): string =>
  `${type} ${data.toString('latin1')} ${canonicalName(name)}`

/** RFC 1995 §4: the new SOA; for each difference the old SOA, what went, the new SOA, what came; the new SOA. */
export class IncomingDifferences {
  readonly #origin: DnsName
  readonly #soa: ResourceRecord
  readonly #differences: Difference[] = []
  #isWhole = false

  /** `soa`: the first record of the reply. */
  constructor(origin: DnsName, soa: ResourceRecord) {
    this.#origin = origin
    this.#soa = soa
  }

  get isWhole(): boolean {
    return this.#isWhole
  }

  add(record: ResourceRecord): Result<void, string> {
    if (this.#isWhole) return refused('records after the last SOA')
    const current = this.#differences.at(-1)
    const isSoa = record.type === recordTypes.SOA && canonicalName(record.name) === this.#origin
    if (isSoa) this.#turn(current, serialOf(record))
    else if (current) (current.to === undefined ? current.removed : current.added).push(record)
    return accepted(undefined)
  }

  #turn(current: Difference | undefined, serial: number): void {
    const isAtEnd = current?.to !== undefined
    if (current && !isAtEnd) current.to = serial
    else if (isAtEnd && serial === serialOf(this.#soa)) this.#isWhole = true
    else this.#differences.push({ from: serial, removed: [], to: undefined, added: [] })
  }

  /** The zone after all differences; a problem where they are not those of `zone`. */
  async apply(zone: AuthorityZone): Promise<Result<AuthorityZone, string>> {
    const records = new Map<string, ResourceRecord>()
    for (const record of zone.recordsBesideSoa()) records.set(keyOf(record), record)
    let { serial } = zone
    for (const { from, removed, to, added } of this.#differences) {
      if (from !== serial) return refused(`differences from serial ${from}, and the zone has ${serial}`)
      for (const record of removed)
        if (!records.delete(keyOf(record))) return refused(`a record is to go that is not there: ${record.name}`)
      for (const record of added) records.set(keyOf(record), record)
      serial = to!
    }
    if (serial !== serialOf(this.#soa)) return refused(`differences to serial ${serial} only`)
    return this.#build(records.values())
  }

  async #build(records: Iterable<ResourceRecord>): Promise<Result<AuthorityZone, string>> {
    const builder = new ZoneBuilder(this.#origin)
    let count = 0
    for (const record of [this.#soa, ...records]) {
      const added = builder.add(record)
      if (!added.ok) return added
      if (++count % STRIDE === 0) await setImmediate()
    }
    return builder.finish()
  }
}
