/** Blind changes of bytes, as fuzzers make them; `words` are what such inputs are made of. */
import type { SeededNumbers } from '../support/malformed-packets.ts'

const LONGEST = 4096
const edges = [0, 1, 2, 12, 31, 32, 63, 64, 0x7f, 0x80, 0xc0, 0xc1, 0xff]
const edges16 = [0, 1, 2, 41, 250, 251, 252, 255, 256, 512, 0x7fff, 0x8000, 0xc00c, 0xffff]

type Change = (numbers: SeededNumbers, input: Buffer, words: readonly Buffer[]) => Buffer

const replaced = (input: Buffer, from: number, to: number, by: Buffer): Buffer =>
  Buffer.concat([input.subarray(0, from), by, input.subarray(to)])

const changes: readonly Change[] = [
  (numbers, input) => {
    const changed = Buffer.from(input)
    changed[numbers.below(input.length)]! ^= 1 << numbers.below(8)
    return changed
  },
  (numbers, input) => {
    const changed = Buffer.from(input)
    changed[numbers.below(input.length)] = numbers.pick(edges)
    return changed
  },
  (numbers, input) => {
    if (input.length < 2) return input
    const changed = Buffer.from(input)
    changed.writeUInt16BE(numbers.pick(edges16), numbers.below(input.length - 1))
    return changed
  },
  (numbers, input) => {
    const at = numbers.below(input.length + 1)
    return replaced(input, at, at, numbers.bytes(1 + numbers.below(8)))
  },
  (numbers, input) => {
    const from = numbers.below(input.length)
    return replaced(input, from, Math.min(input.length, from + 1 + numbers.below(16)), Buffer.alloc(0))
  },
  (numbers, input) => {
    const from = numbers.below(input.length)
    const piece = input.subarray(from, from + 1 + numbers.below(64))
    const at = numbers.below(input.length + 1)
    return replaced(input, at, at, piece)
  },
  (numbers, input, words) => {
    if (words.length === 0) return input
    const word = numbers.pick(words)
    const at = numbers.below(input.length + 1)
    return replaced(input, at, numbers.below(2) === 0 ? at : at + word.length, word)
  },
  (numbers, input) => input.subarray(0, numbers.below(input.length + 1)),
]

/** The first part of one input and the last of another. */
export const spliced = (numbers: SeededNumbers, input: Buffer, other: Buffer): Buffer =>
  Buffer.concat([input.subarray(0, numbers.below(input.length + 1)), other.subarray(numbers.below(other.length + 1))])

/** One to six changes. */
export const mutated = (numbers: SeededNumbers, input: Buffer, words: readonly Buffer[]): Buffer => {
  let changed = input
  for (let left = 1 + numbers.below(6); left > 0; left--)
    changed =
      changed.length === 0 ? numbers.bytes(1 + numbers.below(20)) : numbers.pick(changes)(numbers, changed, words)
  return changed.subarray(0, LONGEST)
}
