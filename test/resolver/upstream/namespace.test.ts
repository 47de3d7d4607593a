import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { missingLibrary } from '#server/system-calls.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { run } from '../../support/run.ts'

const program = fileURLToPath(new URL('./namespace.process.ts', import.meta.url))

test('what is out of reach is so by system calls as by node:dgram', async t => {
  const unshare = findProgram('unshare')
  if (!unshare || !findProgram('ip') || spawnSync(unshare, ['-n', 'true']).status !== 0)
    return skip(t, 'network namespaces need root, unshare and ip')
  if (missingLibrary() !== undefined) return skip(t, missingLibrary()!)
  const { code, stdout, stderr } = await run(unshare, ['-n', process.execPath, program])
  t.is(code, 0, stderr)
  const both = (outcome: string) => [outcome, outcome]
  t.deepEqual(JSON.parse(stdout), {
    'no route': both('unreachable'),
    'no route of IPv6': both('unreachable'),
    unreachable: both('unreachable'),
    prohibited: both('unreachable'),
    'closed port': both('unreachable'),
    'closed port of IPv6': both('unreachable'),
    'closed port, IPv4 as IPv6': both('unreachable'),
    'link-local without an interface': both('unreachable'),
    'foreign source': both('local'),
    'late interface': both('unreachable, then answered'),
    'no ports': both('local'),
    'no ports at the source': both('local'),
    'IPv6 switched off': both('unreachable'),
  })
})
