/** The plugins of a server block, ready to be asked in their order. */

import type { MaybePromise } from '#lib/maybe-promise.ts'
import { HitCounters } from './hits.ts'
import type { Next } from './next.ts'
import type { Plugin } from './plugin.ts'
import type { Query } from './query.ts'
import { unhandled, type Verdict } from './verdict.ts'
import { OWN_UDP_SIZE } from './wire/edns.ts'
import type { DnsName } from './wire/record.ts'

/** What a server block is, for people. */
export interface BlockIdentity {
  readonly zones: readonly DnsName[]
  /** The name of its view; `''`: it has none. */
  readonly view: string
}

/** The plugins of a server block, ready to be asked. */
export interface Chain {
  readonly block: BlockIdentity
  /** Those that say which questions the block is for; none: it is for all. */
  readonly gates: readonly Plugin[]
  readonly run: Next
  /** The same, telling the trace of the query which plugins it passes. */
  readonly runTraced: Next
  /** For questions of a class other than IN: the plugins that take them. */
  readonly runOtherClass: Next
  /** Those that add EDNS options to every reply. */
  readonly optioners: readonly Plugin[]
  /** Whether some plugin wants a trace of each query. */
  readonly traced: boolean
  /** Our own size over UDP, in bytes. */
  readonly udpSize: number
  /** Those that want to know of every reply. */
  readonly reporters: readonly Plugin[]
  /** Whether zone transfers are some plugin's business. */
  readonly transfers: boolean
  /** Those that have zones from other servers. */
  readonly secondaries: readonly Plugin[]
  /** Whether replies of the block may be given again. */
  readonly steady: boolean
  readonly hits: HitCounters
  /** Plugins that may answer a name by themselves. */
  readonly sources: readonly Plugin[]
}

export const composeChain = (plugins: readonly Plugin[], block: BlockIdentity = { zones: [], view: '' }): Chain => ({
  block,
  gates: plugins.filter(plugin => plugin.admits),
  run: composeHandlers(plugins),
  runTraced: composeHandlers(plugins.map(traced)),
  runOtherClass: composeHandlers(plugins.filter(plugin => plugin.allClasses)),
  optioners: plugins.filter(plugin => plugin.replyOptions),
  traced: plugins.some(plugin => plugin.wantsTrace),
  udpSize: Math.min(OWN_UDP_SIZE, ...plugins.flatMap(plugin => plugin.udpSize ?? [])),
  reporters: plugins.filter(plugin => plugin.report),
  transfers: plugins.some(plugin => plugin.name === 'transfer'),
  secondaries: plugins.filter(plugin => plugin.notified),
  steady: plugins.every(isSteady),
  hits: new HitCounters(),
  sources: plugins.filter(plugin => plugin.handle && !plugin.transparent),
})

const isSteady = ({ admits, handle, replyOptions, steady, report, reportHits, wantsTrace }: Plugin): boolean =>
  !admits && !wantsTrace && (steady ?? !(handle || replyOptions)) && (report === undefined || reportHits !== undefined)

const composeHandlers = (plugins: readonly Plugin[]): Next => {
  let run: Next = () => unhandled
  for (const plugin of plugins.toReversed()) {
    const next = run
    const { handle } = plugin
    if (handle) run = query => handle.call(plugin, query, next)
  }
  return run
}

/** The plugin's handler, which says that it was asked. */
const traced = (plugin: Plugin): Plugin => {
  const { name, handle } = plugin
  if (!handle) return plugin
  return {
    name,
    handle(query, next) {
      query.trace?.add(name, 'asked')
      return handle.call(plugin, query, next)
    },
  }
}

export const runIn = (chain: Chain, query: Query): MaybePromise<Verdict> =>
  query.trace ? chain.runTraced(query) : chain.run(query)
