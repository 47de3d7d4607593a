/**
 * The system calls of Linux that Node does not offer: many datagrams in one call, with the address that each was sent to,
 * and options of sockets. By koffi, on the C library that Node itself runs on; 64-bit little-endian machines (x64, arm64).
 */
import { createRequire } from 'node:module'
import { constants, endianness, platform } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import type { Family } from './bind-address.ts'

/** Numbers of Linux's headers; the same on x64 and arm64. */
export const AF_INET = 2
const AF_INET6 = 10
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
export const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVTIMEO = 20
const SO_REUSEPORT = 15
const SO_RCVBUFFORCE = 33
const IPPROTO_IP = 0
const IP_PKTINFO = 8
export const IPPROTO_TCP = 6
const TCP_INFO = 11
/** The first byte of struct tcp_info, the state: neither side has said that it ends. */
const TCP_ESTABLISHED = 1
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const IPV6_RECVPKTINFO = 49

/** tcp(7), linux/tcp.h: `tcpi_bytes_received` in struct tcp_info. */
const TCP_INFO_BYTES_RECEIVED = 128

/** struct mmsghdr, bytes. */
const MMSGHDR = 64

export const POLLIN = 1
export const MSG_DONTWAIT = 0x40
/** Waits for the first datagram, not for more. */
export const MSG_WAITFORONE = 0x10000

type Koffi = typeof import('koffi')['default']

/** Not on every machine: an import of it would keep the server from starting where node:dgram could serve. */
const loadKoffi = (): Koffi => createRequire(import.meta.url)('koffi') as Koffi

/** The library's functions, looked up once a thread. Arguments that are addresses take a Buffer. */
const load = () => {
  const unfit = unfitMachine()
  if (unfit !== undefined) throw new Error(unfit)
  const koffi = loadKoffi()
  const library = koffi.load(null)
  return {
    /** Of the call that just failed. */
    errno: (): number => koffi.errno(),
    /** Where the memory lies; it must not be freed while somebody has the number. */
    addressOf: (memory: Buffer): bigint => BigInt(koffi.address(memory)),
    socket: library.func('int socket(int domain, int type, int protocol)'),
    bind: library.func('int bind(int fd, void *address, uint length)'),
    connect: library.func('int connect(int fd, void *address, uint length)'),
    send: library.func('int send(int fd, void *packet, ulong length, int flags)'),
    close: library.func('int close(int fd)'),
    getsockname: library.func('int getsockname(int fd, void *address, void *length)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int name, void *value, uint length)'),
    getsockopt: library.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
    recvmmsg: library.func('int recvmmsg(int fd, void *messages, uint count, int flags, void *timeout)'),
    sendmmsg: library.func('int sendmmsg(int fd, void *messages, uint count, int flags)'),
    poll: library.func('int poll(void *fds, ulong count, int timeout)'),
    madvise: library.func('int madvise(uint64 address, ulong length, int advice)'),
  } satisfies Record<string, (...values: never[]) => number | bigint>
}

let loaded: ReturnType<typeof load> | undefined

/** @throws Error where the machine is another, or koffi does not run on it */
export const systemCalls = (): ReturnType<typeof load> => (loaded ??= load())

/** Where the numbers above and the layouts of 64 bits hold (asm-generic). On arm or ia32 they would write over memory. */
const ARCHITECTURES: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64'])

const unfitMachine = (): string | undefined => {
  if (platform() !== 'linux') return `the system is ${platform()}, not linux`
  if (endianness() !== 'LE') return 'the machine is big-endian'
  return ARCHITECTURES.has(process.arch) ? undefined : `the machine is ${process.arch}`
}

/** Gives the system back what malloc has free, of all threads (malloc_trim(3)); undefined: this C library has no such call. */
export const mallocTrim = (): (() => void) | undefined => {
  try {
    const trim = loadKoffi().load(null).func('int malloc_trim(ulong pad)')
    return () => void trim(0)
  } catch {
    return undefined
  }
}

/** Why there are none here; undefined: there are. */
export const missingLibrary = (): string | undefined => {
  try {
    systemCalls()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** The same of those that datagrams in batches need. */
export const missingSystemCalls = (): string | undefined => missingLibrary() ?? tryCalls(systemCalls())

/** The library may have what the kernel, or what stands before it (seccomp, gVisor), refuses. */
const tryCalls = ({ errno, socket, recvmmsg, sendmmsg, close }: ReturnType<typeof load>): string | undefined => {
  const fd: number = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  // No IPv4: each socket will say so itself.
  if (fd < 0) return undefined
  try {
    const message = Buffer.alloc(MMSGHDR)
    if (recvmmsg(fd, message, 1, MSG_DONTWAIT, null) >= 0 || errno() !== constants.errno.EAGAIN)
      return `recvmmsg is refused (errno ${errno()})`
    if (sendmmsg(fd, message, 0, MSG_DONTWAIT) !== 0) return `sendmmsg is refused (errno ${errno()})`
    return undefined
  } finally {
    close(fd)
  }
}

/** What went wrong in the call that just returned -1, as Node's own errors have it (`code` EADDRINUSE …). */
const systemError = (call: string, detail: string): NodeJS.ErrnoException => {
  const errno = systemCalls().errno()
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`E${errno}`, `errno ${errno}`]
  return Object.assign(new Error(`${call} ${code}: ${text} (${detail})`), { code, errno: -errno, syscall: call })
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

/** struct timeval of 64-bit machines: seconds, microseconds. */
const timeval = (milliseconds: number): Buffer => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(Math.floor(milliseconds / 1000), 0)
  bytes.writeUInt32LE((milliseconds % 1000) * 1000, 8)
  return bytes
}

/** Where a datagram socket is bound. */
export interface DatagramAddress {
  readonly family: Family
  readonly port: number
  /** sockaddr_in or sockaddr_in6. */
  readonly bytes: Buffer
}

/** sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes). `raw`: the 4 or 16 bytes of the address. */
export const socketAddress = (raw: Uint8Array, port: number, scope = 0): DatagramAddress => {
  const family: Family = raw.length === 4 ? 4 : 6
  const bytes = Buffer.alloc(family === 4 ? 16 : 28)
  bytes.writeUInt16LE(family === 4 ? AF_INET : AF_INET6, 0)
  bytes.writeUInt16BE(port, 2)
  bytes.set(raw, family === 4 ? 4 : 8)
  if (family === 6) bytes.writeUInt32LE(scope, 24)
  return { family, port, bytes }
}

export interface DatagramSocketOptions {
  /** Several sockets share the address, and the kernel spreads clients over them. */
  readonly reusePort: boolean
  /** Each datagram comes with the address that it was sent to. */
  readonly packetInfo: boolean
  /** Bytes; the kernel caps it. */
  readonly receiveBuffer: number
  /** Milliseconds after which a call that waits for a datagram returns without one: so long its worker hears nothing else. */
  readonly receiveTimeout: number
}

export interface DatagramSocket {
  readonly fd: number
  readonly port: number
  /** Bytes that the kernel gave, half of it its own bookkeeping (socket(7)). */
  readonly receiveBuffer: number
}

/** A bound socket. @throws the system's error, with nothing left open */
export const openDatagramSocket = (address: DatagramAddress, options: DatagramSocketOptions): DatagramSocket => {
  const { family } = address
  const calls = systemCalls()
  const fd: number = calls.socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) throw systemError('socket', `IPv${family}`)
  const set = (level: number, name: number, value: number, what: string) => {
    if (calls.setsockopt(fd, level, name, int32(value), 4) < 0) throw systemError('setsockopt', what)
  }
  try {
    if (family === 6) set(IPPROTO_IPV6, IPV6_V6ONLY, 1, 'IPV6_V6ONLY')
    if (options.reusePort) set(SOL_SOCKET, SO_REUSEPORT, 1, 'SO_REUSEPORT')
    if (options.packetInfo && family === 4) set(IPPROTO_IP, IP_PKTINFO, 1, 'IP_PKTINFO')
    if (options.packetInfo && family === 6) set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, 'IPV6_RECVPKTINFO')
    // socket(7): beyond net.core.rmem_max for whoever may administer the network (CAP_NET_ADMIN).
    const size = int32(options.receiveBuffer)
    if (calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length) < 0)
      set(SOL_SOCKET, SO_RCVBUF, options.receiveBuffer, 'SO_RCVBUF')
    const timeout = timeval(options.receiveTimeout)
    if (calls.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length) < 0)
      throw systemError('setsockopt', 'SO_RCVTIMEO')
    if (calls.bind(fd, address.bytes, address.bytes.length) < 0) throw systemError('bind', `port ${address.port}`)
    return { fd, port: boundPort(fd), receiveBuffer: receiveBufferOf(fd) }
  } catch (error) {
    calls.close(fd)
    throw error
  }
}

/**
 * A socket at a port of the system's choice that hears and sends to `remote` alone. @throws the system's error, with
 * nothing left open
 */
export const connectDatagramSocket = (remote: DatagramAddress, local: DatagramAddress | undefined): number => {
  const calls = systemCalls()
  const fd: number = calls.socket(remote.family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) throw systemError('socket', `IPv${remote.family}`)
  try {
    if (local && calls.bind(fd, local.bytes, local.bytes.length) < 0) throw systemError('bind', 'the source address')
    if (calls.connect(fd, remote.bytes, remote.bytes.length) < 0) throw systemError('connect', `port ${remote.port}`)
    return fd
  } catch (error) {
    calls.close(fd)
    throw error
  }
}

/** The system's error where it did not take the datagram. */
export const sendDatagram = (fd: number, packet: Buffer): NodeJS.ErrnoException | undefined => {
  const sent: number = systemCalls().send(fd, packet, packet.length, MSG_DONTWAIT)
  return sent < 0 ? systemError('send', `${packet.length} bytes`) : undefined
}

const boundPort = (fd: number): number => {
  const bytes = Buffer.alloc(28)
  if (systemCalls().getsockname(fd, bytes, int32(bytes.length)) < 0) throw systemError('getsockname', 'port')
  return bytes.readUInt16BE(2)
}

const receiveBufferOf = (fd: number): number => {
  const value = int32(0)
  if (systemCalls().getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, int32(4)) < 0)
    throw systemError('getsockopt', 'SO_RCVBUF')
  return value.readInt32LE()
}

const tcpInfo = Buffer.alloc(TCP_INFO_BYTES_RECEIVED + 8)
const tcpInfoLength = Buffer.alloc(4)

/** Bytes that the kernel has received on a TCP connection, read by us or not; undefined: none is open there (any more). */
export const bytesReceived = (fd: number): number | undefined => {
  tcpInfoLength.writeUInt32LE(tcpInfo.length)
  if (systemCalls().getsockopt(fd, IPPROTO_TCP, TCP_INFO, tcpInfo, tcpInfoLength) < 0) return undefined
  if (tcpInfoLength.readUInt32LE() < tcpInfo.length || tcpInfo[0] !== TCP_ESTABLISHED) return undefined
  return tcpInfo.readUInt32LE(TCP_INFO_BYTES_RECEIVED) + tcpInfo.readUInt32LE(TCP_INFO_BYTES_RECEIVED + 4) * 2 ** 32
}
