/** Zones on their way from a server to a secondary of ours. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { skipName } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { frame } from './dns-client.ts'
import { type Ask, ask, configure, type TestWorld, testWorld } from './dns-environment.ts'
import { loopback, record, startServer } from './dns-server.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** refresh 60 s, retry 20 s, expire 100 s. */
export const zone = (serial: number, rest: string) => `$TTL 5\n@ SOA ns root ${serial} 60 20 100 5\n${rest}\n`

/** A server of ours that gives example. from a file to anybody, on a port of loopback: `port` where it comes back there. */
export const startPrimary = async (t: ExecutionContext, text: string, { to = '*', port: wanted = 0 } = {}) => {
  const folder = temporaryFolder(t)
  const write = (content: string) => writeFileSync(join(folder, 'db'), content)
  write(text)
  const world = testWorld()
  const corefile = `example {\n file db {\n  reload 1s\n }\n transfer {\n  to ${to}\n }\n}`
  const configuration = configure(corefile, world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const responder: Configuration['responder'] = (packet, context) =>
    configuration.responder(packet, { ...context, server: 'dns://:53' })
  const { server, port } = await startServer(t, { responder, listeners: [loopback(wanted)] })
  const update = async (content: string, serial: number) => {
    write(content)
    const isThere = async () =>
      (await world.registry.metrics()).includes(`seamark_zone_serial{zone="example."} ${serial}`)
    while (!(await isThere())) await world.clock.advance(1000)
  }
  return { server, port, update, responder, world, write, folder }
}

export interface Secondary {
  readonly configuration: Configuration
  readonly corefile: string
  readonly world: TestWorld
}

export const startSecondary = async (
  t: ExecutionContext,
  ports: number | readonly number[],
  rest = '',
): Promise<Secondary> => {
  const world = testWorld()
  const from = [ports].flat().map(port => `127.0.0.1:${port}`)
  const corefile = `. {\n secondary example {\n  transfer from ${from.join(' ')}\n${rest}\n }\n}`
  const configuration = configure(corefile, world)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  return { configuration, world, corefile }
}

export const answer = async (
  { configuration }: Pick<Secondary, 'configuration'>,
  name: string,
  question: Ask = {},
): Promise<string> => {
  const reply = await ask(configuration, name, question)
  return reply?.answers.map(recordToText)[0] ?? rcodeName(reply!.rcode)
}

/** Waits for the network; the secondary's own time stands still. */
export const until = async (holds: () => Promise<boolean>): Promise<void> => {
  const end = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it did not come to hold in 60 s')
    await new Promise(resolve => setImmediate(resolve))
  }
}

export const becomes = (secondary: Secondary, name: string, expected: string) =>
  until(async () => (await answer(secondary, name)) === expected)

export const failures = async ({ world }: Secondary): Promise<number> =>
  Number(/seamark_zone_failures_total\{zone="example."\} (\d+)/.exec(await world.registry.metrics())?.[1] ?? 0)

export interface FalseServer {
  /** Messages of records for AXFR; none: it closes. `SOA`: the zone's, `SOA7` that of serial 7. */
  readonly transfer: readonly (readonly string[])[]
  /** Messages for IXFR. */
  readonly differences?: readonly (readonly string[])[]
  readonly rcode?: number
  /** What it says that it has. */
  serial?: number
}

const soaText = (serial: number) => `example. 5 SOA ns.example. root.example. ${serial} 60 20 100 5`

/** A server that answers each question by messages, whatever it is asked; SOA questions get the SOA. */
export const startFalse = async (t: ExecutionContext, script: FalseServer): Promise<number> => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', chunk => {
      const query = chunk.subarray(2)
      const nameEnd = skipName(query, 12)!
      const isSoa = query.readUInt16BE(nameEnd) === recordTypes.SOA
      const isIxfr = !isSoa && query.readUInt16BE(8) === 1
      const { rcode = 0, transfer, differences = [], serial = 1 } = script
      const soa = soaText(serial)
      const messages = isIxfr ? differences : transfer
      for (const texts of isSoa ? [[soa]] : messages) {
        const header = Buffer.from(query.subarray(0, 12))
        header.writeUInt16BE(0x8400 | (isSoa ? 0 : rcode), 2)
        header.writeUInt16BE(texts.length, 6)
        header.writeUInt16BE(0, 8)
        const records = texts.map(text =>
          wire(text.startsWith('SOA') ? soaText(Number(text.slice(3)) || serial) : text),
        )
        socket.write(frame(Buffer.concat([header, query.subarray(12, nameEnd + 4), ...records])))
      }
      if (!isSoa && messages.length === 0) socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return (server.address() as AddressInfo).port
}

const wire = (text: string): Buffer => {
  const { name, type, ttl, data } = record(text)
  const labels = name.split('.').map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([...labels, fixed, data])
}
