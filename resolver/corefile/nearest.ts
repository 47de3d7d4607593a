/** The word of `known` that somebody most likely meant: at most a third of its letters away. Undefined: none is near. */
const nearestWord = (word: string, known: Iterable<string>): string | undefined => {
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < least && distance <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3))) {
      nearest = candidate
      least = distance
    }
  }
  return nearest
}

/** `; did you mean "cache"?`, or nothing. */
export const suggestion = (word: string, known: Iterable<string>): string => {
  const nearest = nearestWord(word, known)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}

/** Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment). */
const editDistance = (left: string, right: string): number => {
  let before: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const substitution = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1)
      let cost = Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1)
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, before[column - 2]! + 1)
      current.push(cost)
    }
    before = previous
    previous = current
  }
  return previous[right.length]!
}
