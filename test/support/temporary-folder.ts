import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A fresh folder that is removed when the test ends. */
export const temporaryFolder = (t: ExecutionContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
