/**
 * Proofs of what a signed zone does not have: with NSEC (RFC 4035 §3.1.3) or NSEC3 (RFC 5155 §7.2). The zone has been
 * signed by somebody else; its own records are found here, none is made.
 */
import { joinName, parentName, splitLabels } from '../wire/name.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { canonicalOrderKey, type HashParameters, hashName } from './denial-names.ts'

/** Records of one proof, signatures included. */
export type Proof = readonly ResourceRecord[]

/** A record that denies, with its signatures, under what it is looked up by. */
export interface DenialRecord {
  readonly key: string
  readonly proof: Proof
}

/** Names are canonical. `encloser`: the closest name above that is there (RFC 4592 §3.3.1). */
export interface Denial {
  /** Nothing has the name, and no wildcard stands for it. */
  missing(name: DnsName, encloser: DnsName): readonly Proof[]
  /** The name is there; what was asked for is not. */
  noData(name: DnsName): readonly Proof[]
  /** A wildcard stands for the name, which itself is not there. */
  wildcard(name: DnsName, encloser: DnsName): readonly Proof[]
  /** A wildcard stands for the name, and does not have what was asked for. */
  wildcardNoData(name: DnsName, encloser: DnsName): readonly Proof[]
}

const wildcardOf = (encloser: DnsName): DnsName => joinName(['*'], encloser)

/** RFC 5155 §1.3: "the name one label longer than the closest encloser". */
const nextCloser = (name: DnsName, encloser: DnsName): DnsName => {
  const labels = splitLabels(name)
  return joinName(labels.slice(labels.length - splitLabels(encloser).length - 1))
}

/** Records in a ring: each covers what lies between its own key and the next one's. */
class Ring {
  readonly #records: readonly DenialRecord[]

  constructor(records: Iterable<DenialRecord>) {
    this.#records = [...records].sort((left, right) => (left.key < right.key ? -1 : 1))
  }

  match(key: string): Proof | undefined {
    const record = this.#records[this.#before(key)]
    return record?.key === key ? record.proof : undefined
  }

  cover(key: string): Proof {
    const record = this.#records[this.#before(key)] ?? this.#records.at(-1)
    return record?.proof ?? []
  }

  /** Where the last key stands that is not greater; -1: all are. */
  #before(key: string): number {
    let low = 0
    let high = this.#records.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#records[middle]!.key <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

export class NsecDenial implements Denial {
  readonly #ring: Ring

  /** Keys: `canonicalOrderKey`. */
  constructor(records: Iterable<DenialRecord>) {
    this.#ring = new Ring(records)
  }

  missing(name: DnsName, encloser: DnsName): readonly Proof[] {
    return [this.#cover(name), this.#cover(wildcardOf(encloser))]
  }

  /** An empty non-terminal has no NSEC of its own (RFC 4035 §2.3): that before it shows what is below. */
  noData(name: DnsName): readonly Proof[] {
    return [this.#ring.match(canonicalOrderKey(name)) ?? this.#cover(name)]
  }

  wildcard(name: DnsName): readonly Proof[] {
    return [this.#cover(name)]
  }

  wildcardNoData(name: DnsName, encloser: DnsName): readonly Proof[] {
    return [...this.noData(wildcardOf(encloser)), this.#cover(name)]
  }

  #cover(name: DnsName): Proof {
    return this.#ring.cover(canonicalOrderKey(name))
  }
}

export class Nsec3Denial implements Denial {
  readonly #ring: Ring
  readonly #parameters: HashParameters

  /** Keys: the hashes, as bytes in latin1. */
  constructor(records: Iterable<DenialRecord>, parameters: HashParameters) {
    this.#ring = new Ring(records)
    this.#parameters = parameters
  }

  /** RFC 5155 §7.2.2. */
  missing(name: DnsName, encloser: DnsName): readonly Proof[] {
    const closest = this.#closest(name, encloser)
    return [...closest.proofs, this.#cover(wildcardOf(closest.name))]
  }

  /** RFC 5155 §7.2.3; §7.2.4 where the name is left out of the chain (Opt-Out), which only DS can ask about. */
  noData(name: DnsName): readonly Proof[] {
    const match = this.#match(name)
    return match ? [match] : this.#closest(name, parentName(name) ?? name).proofs
  }

  /** RFC 5155 §7.2.6. */
  wildcard(name: DnsName, encloser: DnsName): readonly Proof[] {
    return [this.#cover(nextCloser(name, encloser))]
  }

  /** RFC 5155 §7.2.5. */
  wildcardNoData(name: DnsName, encloser: DnsName): readonly Proof[] {
    return [...this.#closest(name, encloser).proofs, this.#match(wildcardOf(encloser)) ?? []]
  }

  /** RFC 5155 §7.2.1: of the closest encloser that is in the chain, with what shows that nothing is below it. */
  #closest(name: DnsName, encloser: DnsName): { readonly name: DnsName; readonly proofs: readonly Proof[] } {
    for (let at: DnsName | undefined = encloser; at !== undefined; at = parentName(at)) {
      const match = this.#match(at)
      if (match) return { name: at, proofs: at === name ? [match] : [match, this.#cover(nextCloser(name, at))] }
    }
    return { name: encloser, proofs: [] }
  }

  #match(name: DnsName): Proof | undefined {
    return this.#ring.match(this.#hash(name))
  }

  #cover(name: DnsName): Proof {
    return this.#ring.cover(this.#hash(name))
  }

  #hash(name: DnsName): string {
    return hashName(name, this.#parameters)
  }
}
