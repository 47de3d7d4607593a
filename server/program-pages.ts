/**
 * Node's own program is a file of 127 MB. With its libraries a server's start leaves 55 MB of files resident, its work needs
 * 34 MB (docs/decisions/0014-small-young-generation.md). What the start alone needed stays, because the kernel takes pages
 * back only where memory is short. This gives them back at once (madvise(2), MADV_DONTNEED): they are clean copies of the
 * file, stay in the page cache, and come again when they are touched, for half a microsecond each.
 */
import { readFileSync } from 'node:fs'
import { missingLibrary, systemCalls } from './system-calls.ts'

const MADV_DONTNEED = 4

/** `00400000-0352b000 r-xp 00001000 fe:00 4711   /usr/bin/node` (proc_pid_maps(5)): code, which is never written to. */
const CODE = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+\s+(.*)$/gm

/** Bytes that were given back, resident or not; 0 where the system has no such call, or shows no maps. */
export const giveBackProgramPages = (): number => {
  if (missingLibrary() !== undefined) return 0
  let given = 0
  for (const [, from = '', to = '', path] of mapsOfThisProcess().matchAll(CODE)) {
    if (path !== process.execPath) continue
    const start = BigInt(`0x${from}`)
    const length = Number(BigInt(`0x${to}`) - start)
    if (systemCalls().madvise(start, length, MADV_DONTNEED) === 0) given += length
  }
  return given
}

const mapsOfThisProcess = (): string => {
  try {
    return readFileSync('/proc/self/maps', 'latin1')
  } catch {
    return ''
  }
}
