/**
 * Transactions and their answers on the way between the threads: as flat lists of words, and one piece of memory with all
 * values that changes hands without a copy. A message's cost is that of the objects in it, not of their bytes.
 *
 * Everything else goes as the object that it is, between the words, so that the order of all is kept.
 */
import type { Change, ChangeSet, Compare, Operation, Revision, TransactionResult } from '../../kv.ts'
import type { Answer, Numbered, PackedAnswers, PackedRequests } from './messages.ts'

/** As a length. */
const DELETED = -1

/** Bytes for values that are there before they are needed: at least, and at most. */
const SMALLEST = 4 << 10
const LARGEST = 1 << 20

/** Requests on their way out. */
export class Outbox {
  #words: (number | string | Numbered)[] = []
  #values = new Uint8Array(SMALLEST)
  #end = 0

  get isEmpty(): boolean {
    return this.#words.length === 0
  }

  /** Values are copied now: the caller may change them afterwards. */
  add(numbered: Numbered): void {
    const { id, request } = numbered
    const words = this.#words
    if (request.type !== 'transact') {
      words.push(numbered)
      return
    }
    const { compare, operations } = request.transaction
    words.push(id, compare.length)
    for (const { key, modRevision } of compare) words.push(key, modRevision)
    words.push(operations.length)
    for (const operation of operations) {
      if (operation.type === 'delete') words.push(operation.key, 0, DELETED)
      else {
        words.push(operation.key, operation.lease ?? 0, operation.value.length)
        this.#copy(operation.value)
      }
    }
  }

  /** All of them; the box is empty then. The next turn is thought to need as much memory. */
  take(): PackedRequests {
    const taken = { words: this.#words, values: this.#values }
    this.#words = []
    this.#values = new Uint8Array(Math.min(Math.max(SMALLEST, this.#end), LARGEST))
    this.#end = 0
    return taken
  }

  #copy(value: Uint8Array): void {
    const end = this.#end + value.length
    if (end > this.#values.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#values.length))
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values.set(value, this.#end)
    this.#end = end
  }
}

/** The values of the operations are views of `values`. */
export const unpackRequests = ({ words, values }: PackedRequests): Numbered[] => {
  const requests: Numbered[] = []
  let at = 0
  let end = 0
  const number = () => words[at++] as number
  const key = () => words[at++] as string
  const operation = (): Operation => {
    const of = { key: key(), lease: number() }
    const length = number()
    if (length === DELETED) return { type: 'delete', key: of.key }
    end += length
    return { type: 'put', ...of, value: values.subarray(end - length, end) }
  }
  const times = <Value>(count: number, read: () => Value): Value[] => {
    const list: Value[] = []
    for (let index = 0; index < count; index++) list.push(read())
    return list
  }
  while (at < words.length) {
    const first = words[at++] as number | Numbered
    if (typeof first !== 'number') {
      requests.push(first)
      continue
    }
    const compare = times(number(), (): Compare => ({ key: key(), modRevision: number() }))
    const operations = times(number(), operation)
    requests.push({ id: first, request: { type: 'transact', transaction: { compare, operations } } })
  }
  return requests
}

/** As a version. */
const UNCHANGED = -1
export const WORDS_OF_OPERATION = 2

/** In the order of the requests. */
export const packAnswers = (requests: readonly Numbered[], answers: readonly Answer[]): PackedAnswers => {
  const words: (number | Answer)[] = []
  for (const [index, answer] of answers.entries()) {
    const { request } = requests[index]!
    const { id, outcome, sets } = answer
    const value = outcome.ok && request.type === 'transact' ? (outcome.value as TransactionResult) : undefined
    if (request.type !== 'transact' || !value?.committed) {
      words.push(answer)
      continue
    }
    words.push(id, value.revision)
    const changes = sets[0]?.changes ?? []
    let next = 0
    for (const { key } of request.transaction.operations) {
      const change = changes[next]?.keyValue
      if (change?.key !== key) words.push(0, UNCHANGED)
      else {
        words.push(change.createRevision, change.version)
        next++
      }
    }
  }
  return words
}

/** The changes of a committed transaction; its operations' words begin at `at`. */
export const unpackChanges = (
  { words, at }: { readonly words: PackedAnswers; readonly at: number },
  revision: Revision,
  operations: readonly Operation[],
): ChangeSet => {
  const changes: Change[] = []
  for (const [index, operation] of operations.entries()) {
    const createRevision = words[at + WORDS_OF_OPERATION * index] as number
    const version = words[at + WORDS_OF_OPERATION * index + 1] as number
    if (version === UNCHANGED) continue
    const { key } = operation
    const of = { key, createRevision, modRevision: revision, version }
    if (operation.type === 'delete') changes.push({ type: 'delete', keyValue: { ...of, value: NOTHING, lease: 0 } })
    else {
      changes.push({ type: 'put', keyValue: { ...of, value: operation.value, lease: operation.lease ?? 0 } })
    }
  }
  return { revision, changes }
}

const NOTHING = new Uint8Array(0)
