/** Makes a zone of records, in any order, and sees that they can be one: bad data is told, not served. */
import { accepted, type Result, refused } from '#lib/result.ts'
import { recordTypes, typeName } from '../wire/codes.ts'
import { canonicalName, isSubdomain, parentName } from '../wire/name.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { AuthorityZone } from './zone.ts'

interface GrowingNode {
  readonly sets: Map<number, ResourceRecord[]>
}

/** RFC 1034 §3.6.2: alone at its name; RFC 4034 §2.5, §4: but for the records that sign it. */
const BESIDE_CNAME: ReadonlySet<number> = new Set([recordTypes.RRSIG, recordTypes.NSEC, recordTypes.KEY])
/** Types of which a name has one. RFC 6672 §2.4 for DNAME. */
const SINGLE: ReadonlySet<number> = new Set([recordTypes.SOA, recordTypes.CNAME, recordTypes.DNAME])

export class ZoneBuilder {
  readonly #origin: DnsName
  readonly #nodes = new Map<DnsName, GrowingNode>()
  #soa: ResourceRecord | undefined
  #outside = 0

  /** `origin`: canonical. */
  constructor(origin: DnsName) {
    this.#origin = origin
    this.#nodes.set(origin, { sets: new Map() })
  }

  /** Records whose owner is not in the zone; they were passed over. */
  get outside(): number {
    return this.#outside
  }

  add(record: ResourceRecord): Result<void, string> {
    const name = canonicalName(record.name)
    if (!isSubdomain(name, this.#origin)) {
      this.#outside++
      return accepted(undefined)
    }
    const { sets } = this.#nodeOf(name)
    const set = sets.get(record.type) ?? []
    // RFC 2181 §5: a record is in its set once.
    if (set.some(({ data }) => data.equals(record.data))) return accepted(undefined)
    const problem = this.#problemOf(record, name, sets)
    if (problem !== undefined) return refused(problem)
    if (record.type === recordTypes.SOA) this.#soa = record
    sets.set(record.type, set.length === 0 ? [record] : withLowestTtl(set, record))
    return accepted(undefined)
  }

  finish(): Result<AuthorityZone, string> {
    if (!this.#soa) return refused(`there is no SOA of ${this.#origin}`)
    return accepted(new AuthorityZone(this.#origin, this.#soa, this.#nodes))
  }

  #problemOf({ name: owner, type }: ResourceRecord, name: DnsName, sets: GrowingNode['sets']): string | undefined {
    if (type === recordTypes.SOA && name !== this.#origin) return `SOA of ${owner}: the zone is ${this.#origin}`
    if (SINGLE.has(type) && sets.has(type)) return `${owner} has a second ${typeName(type)}`
    const others = [...sets.keys()].filter(other => !BESIDE_CNAME.has(other))
    const clashes =
      type === recordTypes.CNAME ? others.length > 0 : !BESIDE_CNAME.has(type) && sets.has(recordTypes.CNAME)
    return clashes ? `${owner} has a CNAME and other records` : undefined
  }

  /** The node of a name, with those of all names above it. */
  #nodeOf(name: DnsName): GrowingNode {
    const known = this.#nodes.get(name)
    if (known) return known
    const node: GrowingNode = { sets: new Map() }
    this.#nodes.set(name, node)
    const parent = parentName(name)
    if (parent !== undefined) this.#nodeOf(parent)
    return node
  }
}

/** RFC 2181 §5.2: the TTLs of a set are one; the lowest is what all agree to. */
const withLowestTtl = (set: ResourceRecord[], record: ResourceRecord): ResourceRecord[] => {
  const ttl = Math.min(set[0]!.ttl, record.ttl)
  if (ttl === set[0]!.ttl) {
    set.push({ ...record, ttl })
    return set
  }
  return [...set, record].map(each => ({ ...each, ttl }))
}
