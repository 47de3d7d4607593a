import type { Memo } from '#resolver/memo.ts'

/** A worker dies of keeping it: there are no facts. */
export const POISON = { cookieAt: 0, facts: null, hits: { add() {}, sample() {} } } as unknown as Memo
