/**
 * An authoritative zone in memory: its names as a tree of nodes, and the one walk down that tree that RFC 1034 §4.3.2
 * step 3, RFC 4592 and RFC 6672 ask for. `zone-builder.ts` makes zones; they never change afterwards.
 */
import { recordTypes } from '../wire/codes.ts'
import { canonicalName, joinName, parentName } from '../wire/name.ts'
import { soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { Denial } from './denial.ts'

/** All records of one name and type; never empty. */
export type RecordSet = readonly ResourceRecord[]

/** A name of the zone. Without sets: an empty non-terminal (RFC 4592 §2.2.2), a name only because others are below it. */
export interface ZoneNode {
  readonly sets: ReadonlyMap<number, RecordSet>
}

export type Found =
  /** The name itself, or the wildcard right below `encloser` that stands for it. */
  | { readonly kind: 'node'; readonly node: ZoneNode; readonly encloser?: DnsName }
  /** The name is at or below a zone cut. */
  | { readonly kind: 'delegation'; readonly cut: DnsName; readonly node: ZoneNode; readonly servers: RecordSet }
  /** The name is below the owner of a DNAME. */
  | { readonly kind: 'redirection'; readonly node: ZoneNode; readonly dname: ResourceRecord }
  | { readonly kind: 'missing'; readonly encloser: DnsName }

/** What a zone is made of; `zone-builder.ts` sees that it is one. */
export interface ZoneContents {
  /** Canonical. */
  readonly origin: DnsName
  readonly soa: ResourceRecord
  readonly nodes: ReadonlyMap<DnsName, ZoneNode>
  readonly hashed: ReadonlyMap<DnsName, ZoneNode>
  readonly denial: Denial | undefined
}

/** RFC 4034 §3.1.1: the type that a signature is for. */
export const typeCovered = (signature: ResourceRecord): number => signature.data.readUInt16BE(0)

/** The signatures of a node's records of one type. */
export const signaturesOf = ({ sets }: ZoneNode, type: number): RecordSet =>
  sets.get(recordTypes.RRSIG)?.filter(record => typeCovered(record) === type) ?? []

export class AuthorityZone {
  /** Canonical. */
  readonly origin: DnsName
  readonly soa: ResourceRecord
  readonly serial: number
  /** The SOA of negative answers, with the TTL that they may be kept for. */
  readonly negativeSoa: ResourceRecord
  /** Canonical name → node; every name between a node and the origin has one too. */
  readonly #nodes: ReadonlyMap<DnsName, ZoneNode>
  /** NSEC3 and what signs them: they have names that do not exist (RFC 5155 §7.2.8). */
  readonly #hashed: ReadonlyMap<DnsName, ZoneNode>
  /** What proves that something is not there; undefined: the zone is not signed. */
  readonly denial: Denial | undefined

  constructor({ origin, soa, nodes, hashed, denial }: ZoneContents) {
    const { serial, minimum } = soaData.decode(soa.data)
    this.origin = origin
    this.soa = soa
    this.serial = serial
    // RFC 2308 §3: "the minimum of the MINIMUM field of the SOA record and the TTL of the SOA itself".
    this.negativeSoa = { ...soa, ttl: Math.min(soa.ttl, minimum) }
    this.#nodes = nodes
    this.#hashed = hashed
    this.denial = denial
  }

  /** The node of that very name, cuts above it or not: for glue and other additional data. */
  nodeOf(name: DnsName): ZoneNode | undefined {
    return this.#nodes.get(canonicalName(name))
  }

  get apex(): ZoneNode {
    return this.#nodes.get(this.origin)!
  }

  /** Of the apex. */
  setOf(type: number): RecordSet {
    return this.apex.sets.get(type) ?? []
  }

  /** Every record but the SOA. */
  *recordsBesideSoa(): Generator<ResourceRecord> {
    for (const nodes of [this.#nodes, this.#hashed])
      for (const { sets } of nodes.values()) for (const [type, set] of sets) if (type !== recordTypes.SOA) yield* set
  }

  /** What there is for `name`, canonical and in the zone. */
  find(name: DnsName, type: number): Found {
    let encloser = this.origin
    for (const ancestor of this.#pathTo(name)) {
      const node = this.#nodes.get(ancestor)
      // RFC 4592 §3.3.1: `encloser` is the closest encloser; the source of synthesis is the asterisk right below it.
      if (!node) return this.#synthesise(encloser)
      const isName = ancestor.length === name.length
      const servers = ancestor === this.origin ? undefined : node.sets.get(recordTypes.NS)
      // RFC 4035 §3.1.4.1: DS at a cut is data of this side of it.
      if (servers && !(isName && type === recordTypes.DS)) return { kind: 'delegation', cut: ancestor, node, servers }
      if (isName) return { kind: 'node', node }
      // RFC 6672 §2.3: a DNAME is for the names below its owner, not for the owner itself.
      const [dname] = node.sets.get(recordTypes.DNAME) ?? []
      if (dname) return { kind: 'redirection', node, dname }
      encloser = ancestor
    }
    return { kind: 'missing', encloser }
  }

  /** The names from the origin down to `name`. */
  #pathTo(name: DnsName): DnsName[] {
    const path: DnsName[] = []
    for (let at: DnsName | undefined = name; at !== undefined; at = parentName(at)) {
      path.push(at)
      if (at === this.origin) break
    }
    return path.reverse()
  }

  #synthesise(encloser: DnsName): Found {
    const node = this.#nodes.get(joinName(['*'], encloser))
    return node ? { kind: 'node', node, encloser } : { kind: 'missing', encloser }
  }
}
