/**
 * An answer as the bytes of a DNS message, which is how the cache keeps it: compressed, a tenth of what the records take as
 * values. What is said to one client alone (EDNS options, RD) is left out.
 */
import type { Question } from '../query.ts'
import type { Answer } from '../verdict.ts'
import { encodeExtendedError, encodeOpt } from '../wire/edns.ts'
import { flags } from '../wire/header.ts'
import { decodeResponse, type ResponseMessage } from '../wire/message.ts'
import { MAX_MESSAGE, MessageWriter } from '../wire/message-writer.ts'
import type { ResourceRecord } from '../wire/record.ts'

const writer = new MessageWriter()

/**
 * Bytes of a message, a character each (latin1). A Buffer of its own takes 270 bytes more, and a part of them outside of
 * the heap, where what has been freed leaves holes.
 */
export type PackedAnswer = string

/** Undefined: it is longer than a message can be. AA is left out: it is for those who have the data at first hand. */
export const packAnswer = (
  answer: Answer,
  { name, type, class: questionClass }: Question,
): PackedAnswer | undefined => {
  const { rcode, answers, authority, additional, extendedErrors = [] } = answer
  let bits = flags.response | (rcode & 0xf)
  if (answer.recursionAvailable) bits |= flags.recursionAvailable
  if (answer.authenticData) bits |= flags.authenticData
  if (answer.truncated) bits |= flags.truncated
  const isPlain = rcode <= 0xf && extendedErrors.length === 0
  writer.begin(0, bits)
  writer.ask(name, type, questionClass)
  if (![answers, authority, additional].every(write)) return undefined
  if (!isPlain)
    writer.bytes(encodeOpt({ rcode, dnssecOk: false, udpSize: 0, options: extendedErrors.map(encodeExtendedError) }))
  if (writer.end > MAX_MESSAGE) return undefined
  const counts = [1, answers.length, authority.length, additional.length + (isPlain ? 0 : 1)] as const
  return writer.finishText(bits, counts)
}

const write = (records: readonly ResourceRecord[]): boolean =>
  records.every(record => {
    writer.record(record)
    return writer.end <= MAX_MESSAGE
  })

/** The opposite of `packAnswer`. `question`: as the one who asked first spelled it. */
export const unpackAnswer = (packed: PackedAnswer): Answer & { readonly question: Question } => {
  const decoded = decodeResponse(Buffer.from(packed, 'latin1'))
  if (!decoded.ok) throw new Error(`a kept answer cannot be read: ${decoded.problem}`)
  const { rcode, recursionAvailable, authenticData, truncated, ...message } = decoded.value
  const { question, answers, authority, additional, extendedErrors } = message as ResponseMessage & {
    readonly question: Question
  }
  const fields = { rcode, authoritative: false, recursionAvailable, authenticData, truncated }
  const sections = { answers, authority, additional, ...(extendedErrors && { extendedErrors }) }
  return { question, ...fields, ...sections }
}
