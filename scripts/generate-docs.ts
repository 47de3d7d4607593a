/** Writes the pages that are derived from the code: `npm run docs`. test/docs.test.ts fails when they are out of date. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { derivedPages } from './docs/pages.ts'

const root = new URL('..', import.meta.url)
for (const [path, text] of Object.entries(await derivedPages())) {
  writeFileSync(fileURLToPath(new URL(path, root)), text)
  console.log(`wrote ${path}`)
}
