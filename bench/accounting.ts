/**
 * What a program costs by the operating system's own accounts: the process that was started and all that it started.
 * Linux only (`/proc`).
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks of /proc/PID/stat: USER_HZ, 100 on every Linux that is not made specially. */
const TICK_MS = 10

/** Undefined: the process has ended. */
const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The fields after the program's name, which may hold blanks and brackets: state, parent … (proc(5)). */
const statFields = (pid: number): readonly string[] => {
  const stat = read(`/proc/${pid}/stat`) ?? ''
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** The process and its descendants. */
const processTree = (root: number): readonly number[] => {
  const parents = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry)) parents.set(Number(entry), Number(statFields(Number(entry))[1]))
  }
  const tree = [root]
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  return tree
}

/** On the processor so far, in milliseconds: threads' nanoseconds (schedstat), or the process's ticks where there are none. */
const processorTime = (pid: number): number => {
  let threads: readonly string[]
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    return 0
  }
  const times = threads.map(thread => read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0])
  if (times.every(time => time !== undefined)) return times.reduce((sum, time) => sum + Number(time) / 1e6, 0)
  const [user, system] = statFields(pid).slice(11, 13)
  return (Number(user) + Number(system)) * TICK_MS
}

/**
 * Milliseconds of processor time of the whole tree. A thread that ends takes its time with it: between two readings the
 * programs that are measured keep theirs.
 */
export const treeProcessorTime = (root: number): number =>
  processTree(root).reduce((sum, pid) => sum + processorTime(pid), 0)

const MEBI_IN_KIBI = 1024

export interface Memory {
  /** MiB resident, shared pages and files included. */
  readonly resident: number
  /** MiB resident that belong to no file: heap, stacks. */
  readonly anonymous: number
  /** MiB resident at its worst, since each process began. */
  readonly peak: number
}

export const treeMemory = (root: number): Memory => {
  const sum = (field: string): number =>
    processTree(root).reduce((total, pid) => {
      const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read(`/proc/${pid}/status`) ?? '')
      return total + Number(found?.[1] ?? 0) / MEBI_IN_KIBI
    }, 0)
  return { resident: sum('VmRSS'), anonymous: sum('RssAnon'), peak: sum('VmHWM') }
}
