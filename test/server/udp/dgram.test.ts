import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { ask } from '../../support/dns-client.ts'
import { metric, startServer } from '../../support/dns-server.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { queryPacket } from '../../support/query-packet.ts'
import { sendRawDatagram } from '../../support/raw-datagram.ts'
import { run } from '../../support/run.ts'

const program = fileURLToPath(new URL('../../support/udp-namespace.process.ts', import.meta.url))

test('all addresses: replies leave from the address that was asked, also one that appears later', async t => {
  const unshare = findProgram('unshare')
  if (!unshare || !findProgram('ip') || spawnSync(unshare, ['-n', 'true']).status !== 0) {
    return skip(t, 'needs root, unshare and ip')
  }
  const { code, stdout, stderr } = await run(unshare, ['-n', process.execPath, program, 'dgram'])
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

test('a query from port 0, to which no reply can be sent, does no harm', async t => {
  const { port, registry } = await startServer(t)
  if (!sendRawDatagram({ from: 0, to: port, data: queryPacket('a.') })) return skip(t, 'needs root for a raw socket')
  t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
  const dropped = () => metric(registry, 'seamark_server_dropped_total')
  while ((await dropped()) === 0) await new Promise(resolve => setImmediate(resolve))
  t.is(await dropped(), 1)
})
