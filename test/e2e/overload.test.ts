/** More questions wait for a silent upstream than may wait at all: names of the server's own zones are answered all the same. */
import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { missingSystemCalls } from '#server/system-calls.ts'
import { ask } from '../support/dns-client.ts'
import { DnsProcess } from '../support/dns-process.ts'
import { freePorts } from '../support/free-port.ts'
import { queryPacket } from '../support/query-packet.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startUpstream } from '../support/upstream.ts'

for (const mode of ['batch', 'dgram'])
  (mode === 'batch' && missingSystemCalls() !== undefined ? test.skip : test)(`--udp ${mode}`, async t => {
    t.timeout(180_000)
    const [port, page] = await freePorts(2)
    const silence = new Promise<undefined>(() => {})
    const upstream = await startUpstream(t, { respond: () => silence })
    const file = join(temporaryFolder(t), 'Corefile')
    const blocks = [
      `.:${port} {\n bind 127.0.0.1\n prometheus 127.0.0.1:${page}\n forward . ${upstream.target} {\n read_timeout 30s\n }\n}`,
      `own.test:${port} {\n bind 127.0.0.1\n whoami\n}`,
    ]
    writeFileSync(file, blocks.join('\n'))
    const program = new DnsProcess(t, file, ['--udp', mode, '--workers', '1', '--max-in-flight', '100'])
    await program.whenReady()
    const dropped = async (reason: string): Promise<number> => {
      const text = await (await fetch(`http://127.0.0.1:${page}/metrics`)).text()
      return Number(
        new RegExp(`^seamark_server_dropped_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0,
      )
    }
    const client = createSocket('udp4')
    t.teardown(() => client.close())
    for (let index = 0; index < 120; index++) client.send(queryPacket(`n${index}.example.com.`), port!, '127.0.0.1')
    while ((await dropped('in-flight-others')) < 45) await new Promise(resolve => setTimeout(resolve, 5))
    for (let each = 0; each < 30; each++) t.is((await ask({ name: 'a.own.test', port: port! })).rcode, 'NOERROR')
    t.is(await dropped('in-flight-others'), 45)
    t.is(await dropped('in-flight'), 0)
  })
