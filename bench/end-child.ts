import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Resolves when the program has ended: by itself, by SIGTERM, or after `deadline` milliseconds by SIGKILL. */
export const endChild = async (child: ChildProcess, deadline: number): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const limit = setTimeout(() => child.kill('SIGKILL'), deadline)
  await ended
  clearTimeout(limit)
}
