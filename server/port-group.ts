/**
 * The sockets that share an address and a port (SO_REUSEPORT), in this process or in others, and how one of them comes and
 * goes without a query being lost (docs/decisions/0015-handover.md).
 *
 *   join    the newest takes all that comes from now on; the others keep what is in their queues
 *   leave   another one takes all that comes from now on; what is in the own queue is read until no more comes
 *
 * Promised: with two members, nothing that was sent is lost, whichever of them leaves. With more, or where koffi is missing,
 * what comes between the last look at the queue and the closing of the socket may be. A member that dies leaves its
 * share, but not its queue, to the others: the number that it was chosen by names nobody then, and the kernel spreads.
 */
import type { Socket as UdpSocket } from 'node:dgram'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Server as NetServer } from 'node:net'
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { Family } from './bind-address.ts'
import { canSteer, descriptorOf, steer } from './socket-options.ts'
import { turns } from './turns.ts'

/** So long nothing comes to a socket from which all was steered away: a handshake of TCP in a cluster is shorter. */
const QUIET: Milliseconds = 50
/**
 * So often a socket is looked at that was steered away from and is not quiet, before something else is tried. Looks are
 * counted, not time: a process that stands still for a moment (another's turn, a frozen machine) has seen nothing by then.
 */
const LOOKS = 10

/** TCP_LISTEN, as /proc writes it, below its heading. */
const LISTENING = '0A'
const HEADING = 'st'

export interface PortGroupEnvironment {
  readonly clock: Clock
  readonly logger: Logger
}

export class PortGroup {
  readonly #environment: PortGroupEnvironment
  readonly #protocol: 'udp' | 'tcp'
  /** Of this member: one socket, or one for each thread, bound one after the other. */
  readonly #descriptors: readonly number[]
  readonly #family: Family
  /** Who was there when this one joined. */
  #elders: ReadonlySet<string> = new Set()

  /** `member`: bound, and listening where it is TCP; the descriptors of UDP sockets that come and go together. */
  constructor(member: UdpSocket | NetServer | readonly number[], family: Family, environment: PortGroupEnvironment) {
    this.#protocol = 'listening' in member ? 'tcp' : 'udp'
    this.#descriptors = Array.isArray(member) ? member : descriptorsOf(member as UdpSocket | NetServer)
    this.#family = family
    this.#environment = environment
  }

  /** Takes all that comes from now on. */
  join(): void {
    const { logger } = this.#environment
    this.#elders = this.#others()
    const [descriptor] = this.#descriptors
    if (descriptor === undefined || this.#elders.size === 0) return
    // The kernel counts from zero in the order of coming.
    const failed = steer(descriptor, this.#elders.size, this.#descriptors.length)
    if (failed === undefined) logger.info({ protocol: this.#protocol }, 'took over an address from another socket')
    else logger.warn({ failed, protocol: this.#protocol }, 'an address is shared: queries may be lost when one closes')
  }

  /**
   * Before the socket is closed, while what comes to it is still taken and counted by `arrivals`. Resolves when the queue
   * has been seen empty and, where there are others, they take what comes.
   */
  async leave(arrivals: () => number): Promise<void> {
    const others = this.#others()
    if (others.size > 0 && canSteer()) await this.#steerAway(others, arrivals)
    // A socket on another address (all, or one of them) may have taken over: what began here is brought to its end.
    else await sleep(this.#environment.clock, QUIET)
    await this.empty(arrivals)
  }

  async #steerAway(others: ReadonlySet<string>, arrivals: () => number): Promise<void> {
    const { clock, logger } = this.#environment
    for (const index of this.#choices(others)) {
      if (index !== 'as it is') steer(this.#descriptors[0]!, index, 1)
      for (let look = 0; look < LOOKS; look++) {
        const before = arrivals()
        await sleep(clock, QUIET)
        await turns()
        if (arrivals() === before) return
      }
    }
    logger.warn({ protocol: this.#protocol }, 'could not steer queries away from a socket that closes')
  }

  /** One who came later has taken over by itself. Else the eldest is asked, then whoever is second: one of them is another. */
  #choices(others: ReadonlySet<string>): readonly (number | 'as it is')[] {
    const hasSuccessor = [...others].some(inode => !this.#elders.has(inode))
    if (!hasSuccessor) return [0, 1]
    // Each socket that closes moves the last number to its own. The first after ours stays where it is, until all have.
    const own = this.#descriptors.length
    return own === 1 ? ['as it is', 0, 1] : [own, 0, 1]
  }

  /** Resolves when the queue has been seen empty; soon all the same, where nobody else takes what comes. */
  async empty(arrivals: () => number): Promise<void> {
    const { clock } = this.#environment
    const end = clock.monotonic() + QUIET
    for (let look = 0; look < LOOKS || clock.monotonic() < end; look++) {
      const before = arrivals()
      await turns()
      if (arrivals() === before) return
    }
  }

  /** The inodes of the other sockets with the same address, port and state (proc_pid_net(5)). */
  #others(): ReadonlySet<string> {
    if (this.#descriptors.length === 0) return new Set()
    try {
      const inodes = new Set(this.#descriptors.map(descriptor => String(fstatSync(descriptor).ino)))
      const rows = readSockets(`/proc/self/net/${this.#protocol}${this.#family === 6 ? '6' : ''}`)
      const own = rows.find(row => inodes.has(row.inode))
      const sharing = rows.filter(({ local, state }) => own && local === own.local && state === own.state)
      return new Set(sharing.map(row => row.inode).filter(each => !inodes.has(each)))
    } catch {
      // Not Linux, or a sandbox without /proc.
      return new Set()
    }
  }
}

const descriptorsOf = (socket: UdpSocket | NetServer): readonly number[] => {
  const descriptor = descriptorOf(socket)
  return descriptor === undefined ? [] : [descriptor]
}

/** Whether a program of this machine takes connections on the port. Where that cannot be told: no. */
export const isListenedOn = (port: number): boolean => {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  try {
    return ['tcp', 'tcp6']
      .flatMap(table => readSockets(`/proc/self/net/${table}`))
      .some(row => row.state === LISTENING && row.local?.endsWith(local))
  } catch {
    return false
  }
}

interface SocketRow {
  readonly local: string | undefined
  readonly state: string | undefined
  readonly inode: string
}

/**
 * Of TCP, the sockets that listen: the kernel tells them first, and what follows, the connections of the whole machine, may
 * be tens of thousands of rows. Of UDP, all.
 */
const readSockets = (file: string): readonly SocketRow[] => {
  const rows: SocketRow[] = []
  const chunk = Buffer.alloc(65_536)
  const descriptor = openSync(file, 'r')
  try {
    let rest = ''
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      const lines = (rest + chunk.toString('latin1', 0, size)).split('\n')
      rest = lines.pop() ?? ''
      const read = lines.map(readRow).filter(({ state }) => state !== HEADING)
      rows.push(...read)
      if (file.includes('tcp') && read.some(({ state }) => state !== LISTENING)) break
    }
  } finally {
    closeSync(descriptor)
  }
  return rows
}

const readRow = (line: string): SocketRow => {
  const columns = line.trim().split(/\s+/)
  return { local: columns[1], state: columns[3], inode: columns[9] ?? '' }
}
