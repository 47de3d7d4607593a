import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { findProgram, skip } from '../../support/programs.ts'
import { run } from '../../support/run.ts'

const program = fileURLToPath(new URL('../../support/udp-namespace.process.ts', import.meta.url))

test('all addresses: replies leave from the address that was asked, also one that appears later', async t => {
  const unshare = findProgram('unshare')
  if (!unshare || !findProgram('ip') || spawnSync(unshare, ['-n', 'true']).status !== 0) {
    return skip(t, 'needs root, unshare and ip')
  }
  const { code, stdout, stderr } = await run(unshare, ['-n', process.execPath, '--import=tsx', program])
  t.is(code, 0, stderr)
  const same = (address: string) => ({ from: address, local: `"${address}"` })
  const { firstAtNew, ...seen } = JSON.parse(stdout)
  t.deepEqual(seen, {
    '198.51.100.1': same('198.51.100.1'),
    '198.51.100.2': same('198.51.100.2'),
    '127.0.0.1': same('127.0.0.1'),
    '2001:db8::5': same('2001:db8::5'),
    '::1': same('::1'),
    newIsBound: true,
    '198.51.100.3': same('198.51.100.3'),
    goneIsClosed: true,
    allClosed: true,
  })
  // Answered by the wildcard's socket, unless the address was found in time.
  t.true(['"0.0.0.0"', '"198.51.100.3"'].includes(firstAtNew.local))
})
