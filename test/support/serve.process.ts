/** A server program for tests that need a process of its own: prints its port, serves until its input ends. */
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { addressResponder, loopback } from './dns-server.ts'

const options = readOptions(serverOptions)
if (!options.ok) throw new Error(options.problem)
const server = new Server(addressResponder(), {
  clock: systemClock,
  logger: silentLogger,
  registry: createRegistry(),
  options: options.value,
})
await server.converge([loopback()], [])
for (const { port } of server.addresses().dns.values()) process.stdout.write(`${port}\n`)
process.stdin.resume().on('end', () => void server.close())
