/** Makes a zone of records, in any order, and sees that they can be one: bad data is told, not served. */
import { accepted, type Result, refused } from '#lib/result.ts'
import { recordTypes, typeName } from '../wire/codes.ts'
import { canonicalName, isSubdomain, parentName } from '../wire/name.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { type Denial, type DenialRecord, Nsec3Denial, NsecDenial } from './denial.ts'
import { canonicalOrderKey, type HashParameters, hashOfOwner } from './denial-names.ts'
import { AuthorityZone, signaturesOf, typeCovered } from './zone.ts'

interface GrowingNode {
  readonly sets: Map<number, ResourceRecord[]>
}

/** RFC 1034 §3.6.2: alone at its name; RFC 4034 §2.5, §4: but for the records that sign it. */
const BESIDE_CNAME: ReadonlySet<number> = new Set([recordTypes.RRSIG, recordTypes.NSEC, recordTypes.KEY])
/** Types of which a name has one. RFC 6672 §2.4 for DNAME. */
const SINGLE: ReadonlySet<number> = new Set([recordTypes.SOA, recordTypes.CNAME, recordTypes.DNAME])

/**
 * Rounds of hashing that one question may cost. RFC 9276 §3.1: none are needed; resolvers take zones with more than a
 * few for unsigned (§3.2).
 */
const MOST_ITERATIONS = 500

export class ZoneBuilder {
  readonly #origin: DnsName
  readonly #nodes = new Map<DnsName, GrowingNode>()
  readonly #hashed = new Map<DnsName, GrowingNode>()
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
    const malformed = signedDataProblem(record)
    if (malformed !== undefined) return refused(`${record.name}: ${malformed}`)
    const { sets } = isOfHashedName(record) ? this.#hashedNodeOf(name) : this.#nodeOf(name)
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
    const denial = this.#denial()
    if (!denial.ok) return denial
    const contents = { origin: this.#origin, nodes: this.#nodes, hashed: this.#hashed, denial: denial.value }
    return accepted(new AuthorityZone({ ...contents, soa: this.#soa }))
  }

  #denial(): Result<Denial | undefined, string> {
    const { sets } = this.#nodes.get(this.#origin)!
    if (sets.has(recordTypes.NSEC)) {
      const keyOf = (_: ResourceRecord, name: DnsName) => canonicalOrderKey(name)
      return accepted(new NsecDenial(denialRecords(this.#nodes, recordTypes.NSEC, keyOf)))
    }
    for (const { data } of sets.get(recordTypes.NSEC3PARAM) ?? []) {
      const parameters = hashParameters(data)
      // RFC 5155 §4.1.2: one with flags is not for answering yet.
      if (!parameters || data[1] !== 0) continue
      const { iterations } = parameters
      if (iterations > MOST_ITERATIONS)
        return refused(`NSEC3 with ${iterations} iterations: more than ${MOST_ITERATIONS} are not served (RFC 9276)`)
      const isOfChain = (nsec3: ResourceRecord) => isSameHash(parameters, hashParameters(nsec3.data))
      const keyOf = (nsec3: ResourceRecord, name: DnsName) => (isOfChain(nsec3) ? hashOfOwner(name) : undefined)
      return accepted(new Nsec3Denial(denialRecords(this.#hashed, recordTypes.NSEC3, keyOf), parameters))
    }
    return accepted(undefined)
  }

  #problemOf({ name: owner, type }: ResourceRecord, name: DnsName, sets: GrowingNode['sets']): string | undefined {
    if (type === recordTypes.SOA && name !== this.#origin) return `SOA of ${owner}: the zone is ${this.#origin}`
    if (SINGLE.has(type) && sets.has(type)) return `${owner} has a second ${typeName(type)}`
    const others = [...sets.keys()].filter(other => !BESIDE_CNAME.has(other))
    const clashes =
      type === recordTypes.CNAME ? others.length > 0 : !BESIDE_CNAME.has(type) && sets.has(recordTypes.CNAME)
    return clashes ? `${owner} has a CNAME and other records` : undefined
  }

  #hashedNodeOf(name: DnsName): GrowingNode {
    const node = this.#hashed.get(name) ?? { sets: new Map() }
    this.#hashed.set(name, node)
    return node
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

const isOfHashedName = (record: ResourceRecord): boolean =>
  record.type === recordTypes.NSEC3 || (record.type === recordTypes.RRSIG && typeCovered(record) === recordTypes.NSEC3)

/** What answers read of these types must be there. */
const signedDataProblem = ({ type, data }: ResourceRecord): string | undefined => {
  const isWhole =
    type === recordTypes.RRSIG
      ? data.length > 18
      : type === recordTypes.NSEC3 || type === recordTypes.NSEC3PARAM
        ? hashParameters(data) !== undefined
        : true
  return isWhole ? undefined : `malformed ${typeName(type)}`
}

/** Of NSEC3 and NSEC3PARAM, which begin alike (RFC 5155 §3.2, §4.2); undefined: cut off. */
const hashParameters = (data: Buffer): HashParameters | undefined => {
  const end = 5 + (data[4] ?? 0)
  return data.length >= Math.max(end, 5) ? { iterations: data.readUInt16BE(2), salt: data.subarray(5, end) } : undefined
}

const isSameHash = (left: HashParameters, right: HashParameters | undefined): boolean =>
  left.iterations === right?.iterations && left.salt.equals(right.salt)

/** The records of `type` that have a key, with what signs them. */
function* denialRecords(
  nodes: ReadonlyMap<DnsName, GrowingNode>,
  type: number,
  keyOf: (record: ResourceRecord, name: DnsName) => string | undefined,
): Generator<DenialRecord> {
  for (const [name, node] of nodes) {
    for (const record of node.sets.get(type) ?? []) {
      const key = keyOf(record, name)
      if (key !== undefined) yield { key, proof: [record, ...signaturesOf(node, type)] }
    }
  }
}

/** RFC 2181 §5.2: the TTLs of a set are one; the lowest is what all agree to. */
const withLowestTtl = (set: ResourceRecord[], record: ResourceRecord): ResourceRecord[] => {
  // RFC 4034 §3: signatures of one name are no set: each has the TTL of what it is for.
  if (record.type === recordTypes.RRSIG) return [...set, record]
  const ttl = Math.min(set[0]!.ttl, record.ttl)
  if (ttl === set[0]!.ttl) {
    set.push({ ...record, ttl })
    return set
  }
  return [...set, record].map(each => ({ ...each, ttl }))
}
