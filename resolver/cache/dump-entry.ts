import type { Milliseconds } from '#lib/clock.ts'
import type { CacheDumpEntry } from '../plugin.ts'
import { rcodeName, typeName } from '../wire/codes.ts'
import { recordToText } from '../wire/presentation.ts'
import type { CachedAnswer } from './answer-store.ts'
import { unpackAnswer } from './packed-answer.ts'

/** A kept answer, as people read it; TTLs as the upstream said them. */
export const dumpEntry = ({ packed, stored, lifetime }: CachedAnswer, now: Milliseconds): CacheDumpEntry => {
  const { question, rcode, answers, authority, additional } = unpackAnswer(packed)
  return {
    name: question.canonicalName,
    type: typeName(question.type),
    rcode: rcodeName(rcode),
    remaining: stored + lifetime - now,
    bytes: packed.length,
    records: [...answers, ...authority, ...additional].map(recordToText),
  }
}
