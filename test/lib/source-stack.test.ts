import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { sourceStack } from '#lib/source-stack.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The second line of a file is made of the fifth of its source (source map revision 3: `AAIA` moves on by four lines). */
const MAP = { version: 3, file: 'a.js', sources: ['../a.ts'], names: [], mappings: ';AAIA' }

test('a place in a compiled file is told as the place in its source; all else stays', t => {
  const folder = pathToFileURL(temporaryFolder(t)).href
  writeFileSync(new URL(`${folder}/a.js.map`), JSON.stringify(MAP))
  writeFileSync(new URL(`${folder}/broken.js.map`), '{')
  const stack = (place: string, other: string) =>
    ['Error: no', `    at run (${place})`, `    at async ${place}`, `    at ${other}`, '    at node:net:1:2'].join('\n')
  const source = new URL(`${folder}/../a.ts`).href
  for (const other of [`${folder}/broken.js:1:1`, `${folder}/absent.js:3:4`, `${folder}/b.ts:3:4`])
    t.is(sourceStack(stack(`${folder}/a.js:2:1`, other)), stack(`${source}:5:1`, other))
  t.is(sourceStack(`at file://${join('/nowhere', 'a.js')}:1:1`), 'at file:///nowhere/a.js:1:1')
})
