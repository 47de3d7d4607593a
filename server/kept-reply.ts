import type { ReplyReuse } from '#resolver/memo.ts'

/** A finished reply as it goes into the memo. */
export interface KeptReply extends ReplyReuse {
  /** A reply to a question in lower case, or to any if it is `anyCase`. */
  readonly reply: Buffer
  /** By which number hits are counted. */
  readonly profile: number
}

/** Of a reply that stands for all names below some name. */
export type BelowTerms = NonNullable<KeptReply['below']>
