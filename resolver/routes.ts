/** Which server block a question belongs to. */
import type { Chain } from './chain.ts'
import type { Query } from './query.ts'
import { recordTypes } from './wire/codes.ts'
import { isSubdomain, parentName } from './wire/name.ts'
import type { DnsName } from './wire/record.ts'

/** Listener (`dns://:53`) → zone → chains, in the order of the file. */
export type Routes = ReadonlyMap<string, ReadonlyMap<DnsName, readonly Chain[]>>

const isFor = ({ gates }: Chain, query: Query): boolean =>
  gates.length === 0 || gates.every(plugin => plugin.admits!(query))

const firstFor = (chains: readonly Chain[], query: Query): Chain | undefined => {
  for (const chain of chains) if (isFor(chain, query)) return chain
  return undefined
}

/** Of the zones that the name lies in, the longest one that has a chain for the query: its first such chain. */
export const findChain = (routes: Routes, query: Query): Chain | undefined => {
  const { canonicalName: name, type } = query.question
  const zones = routes.get(query.server)
  if (!zones) return undefined
  let atApex: Chain | undefined
  for (let zone: DnsName | undefined = name; zone !== undefined; zone = parentName(zone)) {
    const candidates = zones.get(zone)
    const chain = candidates && firstFor(candidates, query)
    // RFC 4035 §3.1.4.1: DS at a zone's apex is data of the parent zone, where the parent is served here too.
    if (chain && type === recordTypes.DS && zone === name) atApex = chain
    else if (chain) return chain
  }
  return atApex
}

/** Whether the name alone decides which block answers: no block of its zones chooses its questions (`view`). */
export const isAlone = (routes: Routes, { question, server }: Query): boolean => {
  const zones = routes.get(server)
  for (let zone: DnsName | undefined = question.canonicalName; zone !== undefined; zone = parentName(zone))
    if (zones?.get(zone)?.some(({ gates }) => gates.length > 0)) return false
  return true
}

/** Whether there is a server block for a zone that the name lies in, whichever questions it takes. */
export const isServed = (routes: Routes, { question, server }: Query): boolean => {
  const zones = routes.get(server)
  for (let zone: DnsName | undefined = question.canonicalName; zone !== undefined; zone = parentName(zone))
    if (zones?.has(zone)) return true
  return false
}

/** Whether some block is for the name or for names below it alone. */
export const hasZoneBelow = (routes: Routes, server: string, name: DnsName): boolean =>
  [...(routes.get(server)?.keys() ?? [])].some(zone => isSubdomain(zone, name))
