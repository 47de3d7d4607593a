/**
 * Ports for programs that cannot be given port 0, for servers that are restarted where they were, and for addresses at
 * which nobody may listen. A port is handed out once among all processes of the test run: those that are free "at the
 * moment" are handed out twice, and servers that share addresses (SO_REUSEADDR, SO_REUSEPORT) then answer for each other.
 */
import { createSocket, type SocketOptions } from 'node:dgram'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type ListenOptions, type Server } from 'node:net'
import { platform } from 'node:os'

interface PortRange {
  readonly first: number
  readonly last: number
}

/** Where no service has a port of its own by custom, and Linux gives none to sockets that ask for any. */
const USUAL: PortRange = { first: 12_000, last: 32_000 }

/** Ports that no socket gets that asks for any: below those (ip(7), ip_local_port_range) or above, where more are. */
export const portsBeside = (given: PortRange): PortRange => {
  if (given.first > USUAL.last || given.last < USUAL.first) return USUAL
  const below = { first: 5000, last: given.first - 1 }
  const above = { first: given.last + 1, last: 65_535 }
  const best = below.last - below.first > above.last - above.first ? below : above
  // A machine that gives any port to anybody leaves no choice.
  return best.last - best.first >= 1000 ? best : USUAL
}

const PORTS = ((): PortRange => {
  try {
    const [first, last] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1').split(/\s+/).map(Number)
    return portsBeside({ first: first!, last: last! })
  } catch {
    return USUAL
  }
})()

/**
 * A port over TCP and UDP of every local address: nobody had it, and nobody else who asks here gets it as long as the
 * test file (its thread) runs. On other systems than Linux it is only free at the moment.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first + 1))
    // The claim comes first: to try a port is to hold it for a moment, and another's program may want it just then.
    const claim = await claimPort(port)
    if (!claim) continue
    claim.unref()
    if (await isFree(port)) return port
    claim.close()
  }
}

export const freePorts = (count: number): Promise<readonly number[]> =>
  Promise.all(Array.from({ length: count }, freePort))

/** Undefined: it is claimed already. The claim ends with the server, or its process. */
export const claimPort = async (port: number): Promise<Server | undefined> => {
  const server = createServer()
  // Other systems have no such addresses.
  if (platform() !== 'linux') return server
  // unix(7): an abstract address has no file; the kernel gives it to one socket, until that is closed.
  return (await listens(server, { path: `\0seamark-port-${port}` })) ? server : undefined
}

/**
 * Resolves when nobody has the port, which its claimer has let go. A program that is just being started (fork(2), until
 * execve(2)) has all sockets of this process, those too that another thread of it has closed meanwhile.
 */
export const whenLeft = async (port: number): Promise<void> => {
  const isTaken = () => rowsOf(port)?.some(({ takes }) => takes)
  while (isTaken()) await new Promise(resolve => setImmediate(resolve))
}

/** By looking alone, where that can be: a socket that tries it may stay for a moment, too. */
const isFree = async (port: number): Promise<boolean> => {
  const rows = rowsOf(port)
  if (rows) return rows.length === 0
  return (
    (await canListen(port)) &&
    (await canBind(port, { type: 'udp4' })) &&
    canBind(port, { type: 'udp6', ipv6Only: true })
  )
}

/** Sockets with the local port (proc_pid_net(5)); `takes`: datagrams, or connections. Undefined: that cannot be seen here. */
export const rowsOf = (port: number): readonly { readonly takes: boolean }[] | undefined => {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  // Those of IPv6 are absent where that is.
  const tables = ['tcp', 'tcp6', 'udp', 'udp6'].filter(table => existsSync(`/proc/self/net/${table}`))
  if (tables.length === 0) return undefined
  return tables.flatMap(table => {
    const rows = readFileSync(`/proc/self/net/${table}`, 'latin1').split('\n')
    const states = rows.flatMap(row => {
      const [, address, , state] = row.trim().split(/\s+/)
      return address?.endsWith(local) && state !== TIME_WAIT ? [state] : []
    })
    return states.map(state => ({ takes: table.startsWith('udp') || state === LISTEN }))
  })
}

/** As the kernel writes the states of TCP (tcp_states.h). */
const TIME_WAIT = '06'
const LISTEN = '0A'

const listens = (server: Server, options: ListenOptions): Promise<boolean> =>
  new Promise(resolve => {
    server.once('error', () => resolve(false))
    server.listen(options, () => resolve(true))
  })

/** Over both families, where the machine has them. */
const canListen = async (port: number): Promise<boolean> => {
  const server = createServer()
  if (!(await listens(server, { port, exclusive: true }))) return false
  await new Promise<unknown>(resolve => server.close(resolve))
  return true
}

const canBind = (port: number, options: SocketOptions): Promise<boolean> =>
  new Promise(resolve => {
    const socket = createSocket(options)
    // A machine without IPv6 has other errors.
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'EADDRINUSE'))
    socket.bind({ port, exclusive: true }, () => socket.close(() => resolve(true)))
  })
