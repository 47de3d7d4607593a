/** In which order a merged list stands: as the patch says for its items, as it stood for all others. */

/** What identifies an item: its merge key's value, or the item itself in a list of scalars. */
export type Identity = (item: unknown) => unknown

/**
 * `merged` holds every item that stays. `wanted`: identities in the patch's order; `before`: identities as the list
 * stood. Items of the patch keep the patch's order among themselves, all others their old one, and where both orders
 * know two items, the old one decides which comes first.
 */
export const orderMerged = (
  merged: readonly unknown[],
  wanted: readonly unknown[],
  before: readonly unknown[],
  identity: Identity,
): unknown[] => {
  const wantedAt = new Map(wanted.map((id, index) => [id, index]))
  const beforeAt = new Map(before.map((id, index) => [id, index]))
  const place = (item: unknown, places: ReadonlyMap<unknown, number>): number => places.get(identity(item)) ?? -1
  const inPatch = merged
    .filter(item => wantedAt.has(identity(item)))
    .sort((a, b) => place(a, wantedAt) - place(b, wantedAt))
  const others = merged
    .filter(item => !wantedAt.has(identity(item)))
    .sort((a, b) => place(a, beforeAt) - place(b, beforeAt))
  const ordered: unknown[] = []
  let next = 0
  for (const item of inPatch) {
    const limit = place(item, beforeAt)
    while (next < others.length && limit >= 0 && isBefore(place(others[next], beforeAt), limit)) {
      ordered.push(others[next++])
    }
    ordered.push(item)
  }
  return [...ordered, ...others.slice(next)]
}

const isBefore = (place: number, limit: number): boolean => place >= 0 && place < limit
