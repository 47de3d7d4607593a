/**
 * The environment of programs that a test file starts again and again: what one of them compiled the next one finds, and
 * starts in a third of the time. A program leaves it behind when it ends in order, not when it is killed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestFn } from 'ava'

export const keepCompiled = (test: TestFn): NodeJS.ProcessEnv => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-compiled-'))
  test.after.always(() => rmSync(folder, { recursive: true, force: true }))
  return { ...process.env, NODE_COMPILE_CACHE: folder }
}
