/** A Deployment of CoreDNS gives flags and no subcommand: with Seamark's image in it, they mean the DNS server. */
import { join } from 'node:path'
import test from 'ava'
import { seamark } from '../support/cluster.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('CoreDNS’s flags without a subcommand are those of the DNS server', async t => {
  const { code, stdout } = await run(seamark, ['-plugins'])
  t.is(code, 0)
  t.regex(stdout, /^ +dns\.kubernetes$/m)
  t.deepEqual(await run(seamark, ['-version']), await run(seamark, ['dns', '-version']))
  const missing = join(temporaryFolder(t), 'Corefile')
  for (const flags of [
    ['-conf', missing],
    [`-conf=${missing}`],
    ['--conf', missing],
    [`--conf=${missing}`],
    ['-dns.port', '1053', '-conf', missing],
  ]) {
    const refused = await run(seamark, flags)
    t.is(refused.code, 1)
    t.regex(refused.stderr, /Corefile:1: cannot be read/)
  }
})
