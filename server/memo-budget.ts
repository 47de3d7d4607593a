/** How the memory for finished replies is shared out. */

/** Bytes that each memo may keep. */
export interface MemoBudget {
  readonly main: number
  readonly worker: number
}

/** All memos together take no more of a container's limit than this: most of it is the program and the cluster. */
const LARGEST_SHARE = 1 / 10
/** The main thread has what comes over connections, and what workers do not know: less than they have where there are some. */
const MAIN_SHARE = 1 / 4

/** `total`: bytes that are wanted; `limit`: of the container, undefined: none. */
export const memoBudget = (total: number, workers: number, limit: number | undefined): MemoBudget => {
  const all = Math.min(total, limit === undefined ? total : limit * LARGEST_SHARE)
  if (workers === 0) return { main: Math.floor(all), worker: 0 }
  return { main: Math.floor(all * MAIN_SHARE), worker: Math.floor((all * (1 - MAIN_SHARE)) / workers) }
}
