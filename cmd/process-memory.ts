/** The memory of this process, and how what is free of it goes back to the system. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ProcessMemory } from '#lib/memory-keeper.ts'
import { mallocTrim } from '#server/system-calls.ts'

/**
 * How much larger the heap may be than what was in use at the last collection, percent. V8's own choice, which follows
 * the machine's memory and not the pod's, is up to 300: 20 MiB in use became 80 under a flood of external names. Half as
 * much again costs less processor time than can be measured beside what misses cost.
 */
const HEAP_GROWTH = 50

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: string }) => void

let collector: Collect | undefined

/** V8 gives it to those who ask, in contexts that are made afterwards. */
const collect = (): void => {
  if (!collector) {
    setFlagsFromString('--expose-gc')
    collector = runInNewContext('gc') as Collect
  }
  // V8's word for a collection that compacts and keeps no pages for later.
  collector({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/** V8 reads it at each collection, of whatever thread. */
export const boundHeapGrowth = (): void => setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`)

/** Read from a file of /proc: a process out of descriptors has none for it. */
const resident = (): number | undefined => {
  try {
    return process.memoryUsage.rss()
  } catch {
    return undefined
  }
}

export const processMemory = (): ProcessMemory => ({
  resident,
  trim: mallocTrim(),
  collect,
})
