/**
 * Runs inside a network namespace of its own (`unshare -n`): a server on all addresses, asked at several of them by a
 * client that is bound to another one. Prints what it saw as JSON. Used by the tests of server/udp.
 */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { rdataToText } from '#resolver/wire/presentation.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { addressResponder, newSharedState } from './dns-server.ts'
import { findProgram } from './programs.ts'
import { queryPacket } from './query-packet.ts'

const program = findProgram('ip')!
const ip = (...args: string[]): void => void execFileSync(program, args)
const TXT = 16
/** Milliseconds: what has not come by then does not come. */
const DEADLINE = 60_000

/** Asks for TXT (the address that the server was asked at) and says which address the reply came from. */
const askAt = (address: string, port: number): Promise<{ from: string; local: string } | 'no answer'> =>
  new Promise(resolve => {
    const isV6 = address.includes(':')
    const socket = createSocket(isV6 ? 'udp6' : 'udp4')
    const end = (result: { from: string; local: string } | 'no answer') => {
      clearTimeout(timer)
      socket.close()
      resolve(result)
    }
    const timer = setTimeout(() => end('no answer'), DEADLINE)
    socket.on('message', (bytes, { address: from }) => {
      const decoded = decodeResponse(bytes)
      const answer = decoded.ok ? decoded.value.answers[0] : undefined
      end({ from, local: answer ? rdataToText(TXT, answer.data) : '' })
    })
    socket.bind(0, isV6 ? '::1' : '127.0.0.1', () => socket.send(queryPacket('a.', { type: TXT }), port, address))
  })

const boundTo = (hexAddress: string): boolean => readFileSync('/proc/net/udp', 'latin1').includes(` ${hexAddress}:`)

const until = async (condition: () => boolean | Promise<boolean>): Promise<boolean> => {
  for (const end = performance.now() + DEADLINE; performance.now() < end; ) {
    if (await condition()) return true
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return false
}

ip('link', 'set', 'lo', 'up')
ip('address', 'add', '198.51.100.1/32', 'dev', 'lo')
ip('address', 'add', '198.51.100.2/32', 'dev', 'lo')
ip('-6', 'address', 'add', '2001:db8::5/128', 'dev', 'lo', 'nodad')

/** How UDP is served: `dgram`, `batch`. */
const [, , udp] = process.argv
const options = readOptions(serverOptions, { addressScanInterval: 200, workers: 2, udp })
if (!options.ok) throw new Error(options.problem)
const server = new Server(addressResponder(), {
  clock: systemClock,
  logger: silentLogger,
  registry: createRegistry(),
  options: options.value,
  shared: newSharedState(),
})
await server.converge([{ address: { host: '', port: 0 }, server: 'dns://:0' }], [])
const { port } = server.addresses().dns.get(':0')!

const replies: Record<string, unknown> = {}
for (const address of ['198.51.100.1', '198.51.100.2', '127.0.0.1', '2001:db8::5', '::1']) {
  replies[address] = await askAt(address, port)
}
// An address that appears while the server runs.
ip('address', 'add', '198.51.100.3/32', 'dev', 'lo')
replies.firstAtNew = await askAt('198.51.100.3', port)
if (udp === 'dgram') replies.newIsBound = await until(() => boundTo('036433C6'))
replies['198.51.100.3'] = await askAt('198.51.100.3', port)
// One that goes.
ip('address', 'del', '198.51.100.2/32', 'dev', 'lo')
if (udp === 'dgram') replies.goneIsClosed = await until(() => !boundTo('026433C6'))
await server.close()
replies.allClosed = !readFileSync('/proc/net/udp', 'latin1').includes(
  `:${port.toString(16).toUpperCase().padStart(4, '0')} `,
)
process.stdout.write(JSON.stringify(replies))
