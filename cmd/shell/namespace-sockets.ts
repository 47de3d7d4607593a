/**
 * Sockets inside another process's network namespace, served from this one (setns(2)). A socket belongs to the namespace
 * that its creator was in; so this thread steps in, makes the descriptors, and steps back before anything else runs.
 * Node's own net and dgram make their sockets on a later turn of the loop, which would be outside again: hence libc.
 */
import { closeSync, openSync } from 'node:fs'
import koffi from 'koffi'
import { SeamarkError } from '#lib/errors.ts'

const AF_INET = 2
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const CLONE_NEWNET = 0x40000000
/** ioctl(2) requests of netdevice(7). */
const SIOCSIFFLAGS = 0x8914
const SIOCSIFADDR = 0x8916
const SIOCSIFNETMASK = 0x891c
const IFF_UP = 1
const IFF_RUNNING = 0x40
/** listen(2): a pod's resolver opens few connections at a time. */
const BACKLOG = 128

/** struct ifreq: 16 bytes of name, 24 of a union. */
const IFREQ_SIZE = 40
const IFNAMSIZ = 16

interface Libc {
  readonly setns: (descriptor: number, type: number) => number
  readonly socket: (domain: number, type: number, protocol: number) => number
  readonly bind: (descriptor: number, address: Buffer, length: number) => number
  readonly listen: (descriptor: number, backlog: number) => number
  readonly ioctl: (descriptor: number, request: number, argument: Buffer) => number
}

const loadLibc = (): Libc => {
  const library = koffi.load('libc.so.6')
  return {
    setns: library.func('int setns(int, int)'),
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, const void *, uint32_t)'),
    listen: library.func('int listen(int, int)'),
    ioctl: library.func('int ioctl(int, unsigned long, void *)'),
  }
}

/** The result, unless it is libc's sign of failure. */
const succeeded = (result: number, call: string): number => {
  if (result < 0)
    throw new SeamarkError('ADDRESS_NOT_AVAILABLE', `${call} failed in the new namespace: errno ${koffi.errno()}`)
  return result
}

/** struct sockaddr_in for an IPv4 address. */
const socketAddress = (address: string, port: number): Buffer => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt16LE(AF_INET, 0)
  bytes.writeUInt16BE(port, 2)
  bytes.set(address.split('.').map(Number), 4)
  return bytes
}

const interfaceRequest = (name: string, content: Buffer): Buffer => {
  const request = Buffer.alloc(IFREQ_SIZE)
  request.write(name, 0, 'latin1')
  content.copy(request, IFNAMSIZ)
  return request
}

/** Brings loopback up and gives it `address`/32, so that the address is this namespace's own and no other is. */
const addLoopbackAddress = (libc: Libc, address: string): void => {
  const control = succeeded(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket')
  const flags = Buffer.alloc(2)
  flags.writeUInt16LE(IFF_UP | IFF_RUNNING)
  try {
    succeeded(libc.ioctl(control, SIOCSIFFLAGS, interfaceRequest('lo', flags)), 'bringing lo up')
    const alias = interfaceRequest('lo:0', socketAddress(address, 0))
    succeeded(libc.ioctl(control, SIOCSIFADDR, alias), `adding ${address} to lo`)
    const mask = interfaceRequest('lo:0', socketAddress('255.255.255.255', 0))
    succeeded(libc.ioctl(control, SIOCSIFNETMASK, mask), `setting the mask of ${address}`)
  } finally {
    closeSync(control)
  }
}

const boundSocket = (libc: Libc, type: number, address: string, port: number): number => {
  const descriptor = succeeded(libc.socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), 'socket')
  const name = socketAddress(address, port)
  succeeded(libc.bind(descriptor, name, name.length), `bind to ${address}:${port}`)
  return descriptor
}

export interface NamespaceSockets {
  /** File descriptors, owned by the caller. */
  readonly udp: number
  /** Listening. */
  readonly tcp: number
}

/** Opens `address`:`port` on UDP and TCP in the network namespace of process `pid`. Needs CAP_SYS_ADMIN. */
export const openNamespaceSockets = (pid: number, address: string, port: number): NamespaceSockets => {
  const libc = loadLibc()
  const outside = openSync('/proc/self/ns/net', 'r')
  const inside = openSync(`/proc/${pid}/ns/net`, 'r')
  try {
    succeeded(libc.setns(inside, CLONE_NEWNET), 'setns')
    try {
      addLoopbackAddress(libc, address)
      const udp = boundSocket(libc, SOCK_DGRAM, address, port)
      const tcp = boundSocket(libc, SOCK_STREAM, address, port)
      succeeded(libc.listen(tcp, BACKLOG), 'listen')
      return { udp, tcp }
    } finally {
      // Failing to come back would leave all later sockets of this process in there.
      succeeded(libc.setns(outside, CLONE_NEWNET), 'setns back')
    }
  } finally {
    closeSync(inside)
    closeSync(outside)
  }
}
