/**
 * Replies that may be given again without asking. The readable path says what a reply rests on; whoever keeps it
 * (server/answers.hot.ts) gives it again exactly while that holds.
 *
 * A reply is kept only if the plugin that answered gave terms with its verdict, every plugin of the block is steady, and
 * everybody who is told of replies can be told of many at once. Each of these is off unless somebody says otherwise.
 */
import { type ChangeBoard, hashOf } from '#lib/change-board.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { HitCount, MemoTerms } from './memo-terms.ts'
import type { Endpoint, Query } from './query.ts'
import type { Verdict } from './verdict.ts'
import { ednsOptionCodes, rcodes } from './wire/codes.ts'
import { findOption } from './wire/edns.ts'
import { splitLabels } from './wire/name.ts'
import type { DnsName } from './wire/record.ts'
import { layOutReply, type ReplyLayout } from './wire/reply-layout.ts'

/** The verdict with more to its terms, where it has any. */
export const withTerms = (verdict: Verdict, change: (terms: MemoTerms) => MemoTerms | undefined): Verdict => {
  if (verdict.verdict !== 'answered' || !verdict.memo) return verdict
  const { memo } = verdict
  const changed = () => {
    const terms = memo()
    return terms && change(terms)
  }
  return { ...verdict, memo: changed }
}

/** Who is told of the replies as well. */
export const countedBy = (verdict: Verdict, listener: HitCount): Verdict =>
  withTerms(verdict, terms => ({ ...terms, counted: [...(terms.counted ?? []), listener] }))

/** Told of replies of one kind that were given again. */
export interface HitListener extends HitCount {
  /** One of them, which stands for `weight`: its question and who asked it. */
  sample(question: Buffer, client: Endpoint, weight: number): void
}

/** How a finished reply is given again: what it rests on, and what in it changes from one time to the next. */
export interface ReplyReuse {
  /** The facts it rests on: pairs of cell and version. */
  readonly facts: readonly number[]
  /** Until when it is right, on the clock's monotonic scale; infinite: until a fact changes. */
  readonly until: Milliseconds
  /** Offsets of the TTLs that count down since `keptAt`; none: they stand still (data of our own). */
  readonly ttls: readonly number[]
  readonly keptAt: Milliseconds
  /** Where the SOA's serial stands and the board's cell that has it now; 0: there is none to write. */
  readonly serialAt: number
  readonly serialCell: number
  /** Where the DNS cookie stands, to which the rest of the reply is the same for all; 0: there is none. */
  readonly cookieAt: number
  /** Only the question's bytes tell the spelling: a question in other letters gets the same reply with its own. */
  readonly anyCase: boolean
  /** The run of address records that takes turns: where it begins, bytes of each, how many; 0 records: none. */
  readonly turnsAt: number
  readonly turnsSize: number
  readonly turnsCount: number
  /** Present: it is the reply to all names below the last `labels` labels of its question's, but for what may exist. */
  readonly below?: BelowReuse | undefined
}

export interface BelowReuse {
  readonly labels: number
  /** The hash to which the label left of these is added, for the board's `mayExist`; undefined: nothing exists there. */
  readonly hash: number | undefined
  /** Offsets of the pointers into the question. */
  readonly pointers: readonly number[]
  /** Where the question ends. */
  readonly questionEnd: number
}

/** What the resolver says of a reply that may be given again. */
export interface Memo extends ReplyReuse {
  readonly hits: HitListener
}

/** The fact that all replies rest on: the configuration, and what plugins have no facts of their own for. */
export const EVERYTHING = 'everything'

/** For clients that take what is left of a truncated answer for all of it: the others are left for the next. */
const TRUNCATED_LIFE: Milliseconds = 1000

/** Undefined: `reply` must not be given again. Call it in the turn of the loop in which the verdict was made. */
export const memoOf = (
  query: Query,
  verdict: Verdict,
  reply: Buffer,
  world: {
    readonly board: ChangeBoard
    readonly now: Milliseconds
    readonly hits: (counted: readonly HitCount[]) => HitListener
    readonly isAloneBelow: (name: DnsName) => boolean
  },
): Memo | undefined => {
  if (verdict.verdict !== 'answered' || !verdict.memo) return undefined
  const { rcode } = verdict.answer
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) return undefined
  const terms = verdict.memo()
  if (!terms) return undefined
  const layout = layOutReply(reply)
  // RFC 7873 §5.2: the reply holds a cookie made of the client's address, which must be found to be made anew.
  if (query.edns && findOption(query.edns, ednsOptionCodes.COOKIE) && layout.cookieAt === 0) return undefined
  const { ttls, serialAt, turns, moved, anyCase } = layout
  if (terms.turns && moved > 1 && moved !== turns.count) return undefined
  const isCut = terms.turns === true && reply.readUInt16BE(6) < verdict.answer.answers.length
  const taken = terms.turns ? turns : { at: 0, size: 0, count: 0 }
  return {
    facts: stamp([EVERYTHING, ...terms.facts], world.board),
    until: Math.min(terms.until ?? Number.POSITIVE_INFINITY, ...(isCut ? [world.now + TRUNCATED_LIFE] : [])),
    ttls: terms.agedAt === undefined ? [] : ttls,
    keptAt: terms.agedAt ?? 0,
    serialAt: terms.serialCell === undefined ? 0 : serialAt,
    serialCell: terms.serialCell ?? 0,
    cookieAt: layout.cookieAt,
    anyCase: anyCase && terms.echoesCase === true,
    turnsAt: taken.at,
    turnsSize: taken.size,
    turnsCount: taken.count,
    ...(terms.below &&
      layout.pointers.length > 0 &&
      world.isAloneBelow(terms.below.name) && { below: belowOf(terms.below, layout) }),
    hits: world.hits(terms.counted ?? []),
  }
}

const belowOf = ({ name, unless }: NonNullable<MemoTerms['below']>, { pointers, questionEnd }: ReplyLayout) => ({
  labels: splitLabels(name).length,
  hash: unless === undefined ? undefined : hashOf(unless),
  pointers,
  questionEnd,
})

const stamp = (facts: readonly string[], board: ChangeBoard): readonly number[] =>
  facts.flatMap(fact => {
    const cell = board.cellOf(fact)
    return [cell, board.version(cell)]
  })
