/**
 * One process takes over from another under load: no query is lost, whoever of the two ends. `SEAMARK_HANDOVERS=1000` for
 * the measured aim.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { platform } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ask } from '../support/dns-client.ts'
import { DnsLoad } from '../support/dns-load.ts'
import { DnsProcess } from '../support/dns-process.ts'
import { freePort, freePorts } from '../support/free-port.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const HANDOVERS = Number(process.env.SEAMARK_HANDOVERS ?? 6)

const corefile = async (t: ExecutionContext, host: string): Promise<{ file: string; port: number }> => {
  const [port, health, ready] = await freePorts(3)
  const file = join(temporaryFolder(t), 'Corefile')
  const block = [
    `.:${port} {`,
    host && `bind ${host}`,
    `health 127.0.0.1:${health}`,
    `ready 127.0.0.1:${ready}`,
    'hosts /nowhere {',
    '192.0.2.1 www.example.org',
    '}',
    '}',
  ]
  writeFileSync(file, `${block.filter(Boolean).join('\n')}\n`)
  return { file, port: port! }
}

const onLinux = platform() === 'linux' ? test.serial : test.serial.skip

for (const host of ['127.0.0.1', '']) {
  onLinux(`handovers under load on ${host || 'all addresses'}: every query is answered`, async t => {
    t.timeout(120_000 + HANDOVERS * 10_000)
    const { file, port } = await corefile(t, host)
    // No machine is too slow to end what it has begun.
    const start = () => new DnsProcess(t, file, ['--reuse-port', '--drain-timeout', '60000'])
    let current = start()
    await current.whenReady()
    const load = new DnsLoad({ server: () => ({ address: '127.0.0.1', port }), name: 'www.example.org.' })
    for (let round = 0; round < HANDOVERS; round++) {
      const next = start()
      await next.whenReady()
      // Every third newcomer is taken back.
      const [leaving, staying] = round % 3 === 2 ? [next, current] : [current, next]
      t.is(await leaving.stop(), 0, leaving.output)
      current = staying
    }
    const { lost, wrong, ...asked } = await load.stop()
    t.log(`${HANDOVERS} handovers: asked ${JSON.stringify(asked)}, lost ${lost.length}`)
    t.deepEqual(lost, [])
    t.is(wrong, 0)
    t.true(asked.udp > 0 && asked.tcp > 0 && asked.kept > 0)
  })
}

onLinux('a newcomer that is killed leaves its share to the one before it', async t => {
  const { file, port } = await corefile(t, '127.0.0.1')
  const elder = new DnsProcess(t, file, ['--reuse-port'])
  await elder.whenReady()
  const newcomer = new DnsProcess(t, file, ['--reuse-port'])
  await newcomer.whenReady()
  newcomer.child.kill('SIGKILL')
  await newcomer.exited
  for (const transport of ['udp', 'tcp'] as const)
    for (let index = 0; index < 20; index++)
      t.is((await ask({ name: 'www.example.org', port, transport })).answers.length, 1)
})

onLinux('a newcomer that is not ready takes nothing from one that answers, and all when that one is gone', async t => {
  const { file, port } = await corefile(t, '127.0.0.1')
  const elder = new DnsProcess(t, file, ['--reuse-port'])
  await elder.whenReady()
  const closed = await freePort()
  const text = readFileSync(file, 'utf8').replace('192.0.2.1', '192.0.2.2')
  const lines = `kubernetes cluster.local {\n endpoint http://127.0.0.1:${closed}\n}\n}\n`
  writeFileSync(file, text.replace(/\}\n$/, lines))
  const newcomer = new DnsProcess(t, file, ['--reuse-port'])
  const who = async () => (await ask({ name: 'www.example.org', port })).answers[0]?.data
  // Longer than one that is alone would wait.
  for (const end = performance.now() + 8000; performance.now() < end; ) {
    t.is(await who(), '192.0.2.1')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  t.is(await elder.stop(), 0)
  await newcomer.whenReady()
  t.is(await who(), '192.0.2.2')
})

test.serial('without the flag, a second server is a mistake, whatever the first one allows', async t => {
  const { file } = await corefile(t, '127.0.0.1')
  const first = new DnsProcess(t, file, ['--reuse-port'])
  await first.whenReady()
  const second = new DnsProcess(t, file)
  t.is(await second.exited, 1)
  t.regex(second.output, /is taken by another program/)
})
