/** Whole lines of a text: left out, doubled, moved, taken from another one. */
import type { SeededNumbers } from '../support/malformed-packets.ts'

const LONGEST = 400

export const mutateLines = (numbers: SeededNumbers, input: Buffer, other: Buffer): Buffer => {
  const lines = input.toString('utf8').split('\n')
  const others = other.toString('utf8').split('\n')
  for (let left = 1 + numbers.below(4); left > 0; left--) {
    const at = numbers.below(lines.length + 1)
    const line = lines[at] ?? ''
    const changed = [[], [line, line], [numbers.pick(others)], [line, numbers.pick(others)], [numbers.pick(lines)]]
    lines.splice(at, 1, ...numbers.pick(changed))
    if (lines.length === 0) lines.push('')
  }
  return Buffer.from(lines.slice(0, LONGEST).join('\n'))
}
