import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { Query } from './query.ts'
import type { Verdict } from './verdict.ts'

/** Asks the rest of the chain. Call it at most once, unless the plugin's purpose is to ask again. */
export type Next = (query: Query) => MaybePromise<Verdict>
