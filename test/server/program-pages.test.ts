import { readFileSync } from 'node:fs'
import test from 'ava'
import { giveBackProgramPages } from '#server/program-pages.ts'

/** Bytes of the program's code that are in memory. */
const residentCode = (): number => {
  const mappings = readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)
  const code = mappings.filter(mapping => /^\S+ r-xp .*\/node$/m.test(mapping))
  return code.reduce((sum, mapping) => sum + Number(/^Rss:\s+(\d+) kB/m.exec(mapping)?.[1]) * 1024, 0)
}

test('what the start alone needed of the program is not resident any more, and what is needed comes again', t => {
  // Other threads of the process take back what they need, and may take more meanwhile: once is enough.
  let isLess = false
  for (let time = 0; time < 100 && !isLess; time++) {
    const before = residentCode()
    t.true(before > 0)
    t.true(giveBackProgramPages() >= before)
    isLess = residentCode() < before
  }
  t.true(isLess)
  t.is(JSON.stringify(JSON.parse('{"a":[1,"é",null]}')), '{"a":[1,"é",null]}')
})
