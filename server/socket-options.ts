/**
 * What sockets can do on Linux and Node has no words for, on descriptors of Node's sockets or of our own. Where the system
 * calls are missing (system-calls.ts), all else works.
 */
import { Socket as UdpSocket } from 'node:dgram'
import type { Server as NetServer, Socket as Stream } from 'node:net'
import { platform } from 'node:os'
import { IPPROTO_TCP, missingLibrary, SOL_SOCKET, systemCalls } from './system-calls.ts'

/**
 * Whether several sockets may be bound to one address and port of which the kernel gives each query to one, and programs
 * of other users are kept out: SO_REUSEPORT as Linux has it (socket(7)).
 */
export const portsCanBeShared = platform() === 'linux'

/** asm-generic/socket.h, linux/bpf_common.h. */
const SO_ATTACH_REUSEPORT_CBPF = 51
const BPF_RET_K = 0x06
const BPF_RET_A = 0x16
const BPF_LD_W_ABS = 0x20
const BPF_ALU_MOD_K = 0x94
const BPF_ALU_ADD_K = 0x04
/** SKF_AD_OFF + SKF_AD_RANDOM (linux/filter.h): an address that gives a random number. */
const RANDOM = 0xfffff038
/** Bytes of struct sock_fprog with 64-bit pointers. */
const PROGRAM_SIZE = 16

/** Instructions whose result is the number of a socket. */
const chooseAmong = (first: number, count: number): readonly (readonly [code: number, k: number])[] =>
  count === 1
    ? [[BPF_RET_K, first]]
    : [
        [BPF_LD_W_ABS, RANDOM],
        [BPF_ALU_MOD_K, count],
        [BPF_ALU_ADD_K, first],
        [BPF_RET_A, 0],
      ]

/** struct sock_filter: code (2), jumps (1, 1), k (4). */
const encodeProgram = (instructions: ReturnType<typeof chooseAmong>): Buffer => {
  const program = Buffer.alloc(8 * instructions.length)
  for (const [index, [code, k]] of instructions.entries()) {
    program.writeUInt16LE(code, 8 * index)
    program.writeUInt32LE(k, 8 * index + 4)
  }
  return program
}

/** Whether `steer` can do anything here. */
export const canSteer = (): boolean => missingLibrary() === undefined

/**
 * Gives all that comes for the sockets that share an address and port to those `count` with the numbers from `first` on,
 * counted from zero in the order in which they were bound; to any of them, if there is no such number. `undefined`: done;
 * else why not.
 */
export const steer = (descriptor: number, first: number, count: number): string | undefined => {
  const missing = missingLibrary()
  if (missing !== undefined) return missing
  const { addressOf, errno, setsockopt } = systemCalls()
  const program = encodeProgram(chooseAmong(first, count))
  // struct sock_fprog: how many instructions, and where they are.
  const choice = Buffer.alloc(PROGRAM_SIZE)
  choice.writeUInt16LE(program.length / 8)
  choice.writeBigUInt64LE(addressOf(program), 8)
  const result = setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, choice, PROGRAM_SIZE)
  return result === 0 ? undefined : `errno ${errno()}`
}

/** linux/tcp.h */
const TCP_CORK = 3
const TCP_QUICKACK = 12

const switchOn = (stream: Stream, option: number): void => {
  const { fd = -1 } = (stream as { readonly _handle?: Handle | null })._handle ?? {}
  if (fd < 0 || platform() !== 'linux' || missingLibrary() !== undefined) return
  const on = Buffer.from([1, 0, 0, 0])
  systemCalls().setsockopt(fd, IPPROTO_TCP, option, on, on.length)
}

/** What is written from now on leaves with the end of the stream, but for whole segments (tcp(7)); for 200 ms at most. */
export const cork = (stream: Stream): void => switchOn(stream, TCP_CORK)

/** What has come is acknowledged at once, not with the next answer: a client may hold more back until then (RFC 896). */
export const acknowledge = (stream: Stream): void => switchOn(stream, TCP_QUICKACK)

interface Handle {
  readonly fd?: number
}

/** Of a socket that is bound; undefined: Node does not show it. */
export const descriptorOf = (socket: UdpSocket | NetServer): number | undefined => {
  if (!(socket instanceof UdpSocket)) return (socket as { readonly _handle?: Handle })._handle?.fd
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  const state = key && (socket as unknown as Readonly<Record<symbol, { readonly handle?: Handle }>>)[key]
  return state?.handle?.fd
}
