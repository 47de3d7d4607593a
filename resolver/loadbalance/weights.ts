/** CoreDNS's weight file: a name on a line of its own, then its addresses with their weights, one a line. */
import { isIP } from 'node:net'
import { accepted, type Result, refused } from '#lib/result.ts'
import { canonicalName, parseName } from '../wire/name.ts'
import { aaaaData, aData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'

/** CoreDNS's limits. */
const LEAST = 1
const MOST = 255

export class Weights {
  /** Name → address as RDATA, in latin1 → weight. */
  readonly #weights = new Map<DnsName, Map<string, number>>()

  /** Of an address record; what the file does not name has 1. */
  of({ name, data }: ResourceRecord): number {
    return this.#weights.get(canonicalName(name))?.get(data.toString('latin1')) ?? LEAST
  }

  set(name: DnsName, address: Buffer, weight: number): void {
    const weights = this.#weights.get(name) ?? new Map<string, number>()
    this.#weights.set(name, weights.set(address.toString('latin1'), weight))
  }
}

const addressData = (text: string): Buffer | undefined => {
  const family = isIP(text)
  if (family === 0) return undefined
  return family === 4 ? aData.encode(text) : aaaaData.encode(text)
}

/** An address and its weight, or what is wrong. */
const parseLine = ([first = '', second = '', surplus]: readonly string[]): Result<[Buffer, number], string> => {
  const address = addressData(first)
  const weight = /^\d{1,3}$/.test(second) ? Number(second) : 0
  if (surplus !== undefined) return refused(`"${surplus}" is one word too many`)
  if (!address) return refused(`"${first}" is not an address`)
  if (weight < LEAST || weight > MOST) return refused(`"${second}" is not a weight from ${LEAST} to ${MOST}`)
  return accepted([address, weight])
}

const parseOwner = (text: string): Result<DnsName, string> => {
  if (addressData(text)) return refused(`the address ${text} has no weight`)
  const name = parseName(text)
  return name.ok ? accepted(canonicalName(name.value)) : name
}

/** A problem says which line is wrong. */
export const parseWeights = (text: string): Result<Weights, string> => {
  const weights = new Weights()
  let name: DnsName | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/)
    if (words[0] === '' || words[0]?.startsWith('#')) continue
    const where = `line ${index + 1}: `
    if (words.length === 1) {
      const owner = parseOwner(words[0]!)
      if (!owner.ok) return refused(where + owner.problem)
      name = owner.value
      continue
    }
    const read = parseLine(words)
    if (!read.ok) return refused(where + read.problem)
    if (name === undefined) return refused(`${where}an address before the first name`)
    weights.set(name, ...read.value)
  }
  return accepted(weights)
}
