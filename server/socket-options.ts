/**
 * What sockets can do on Linux and Node has no words for: set through libc (koffi), on descriptors of Node's sockets or of
 * our own. Where koffi is missing, all else works.
 */
import { Socket as UdpSocket } from 'node:dgram'
import type { Server as NetServer } from 'node:net'
import { platform } from 'node:os'
import type { LibraryHandle } from 'koffi'

/**
 * Whether several sockets may be bound to one address and port of which the kernel gives each query to one, and programs
 * of other users are kept out: SO_REUSEPORT as Linux has it (socket(7)).
 */
export const portsCanBeShared = platform() === 'linux'

/** asm-generic/socket.h, linux/bpf_common.h. */
const SOL_SOCKET = 1
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

export interface SocketOptions {
  /**
   * Gives all that comes for the sockets that share an address and port to those `count` with the numbers from `first` on,
   * counted from zero in the order in which they were bound; to any of them, if there is no such number. `undefined`:
   * done; else the error's number.
   */
  readonly steer: (descriptor: number, first: number, count: number) => number | undefined
}

type Koffi = typeof import('koffi')['default']

const steerBy = (koffi: Koffi, libc: LibraryHandle): SocketOptions['steer'] => {
  const instruction = koffi.struct({ code: 'uint16', jt: 'uint8', jf: 'uint8', k: 'uint32' })
  const program = koffi.struct({ len: 'uint16', filter: koffi.pointer(instruction) })
  const parameters = ['int', 'int', 'int', koffi.pointer(program), 'uint32']
  const setsockopt = libc.func('setsockopt', 'int', parameters)
  return (descriptor, first, count) => {
    const filter = chooseAmong(first, count).map(([code, k]) => ({ code, jt: 0, jf: 0, k }))
    const chooses = { len: filter.length, filter }
    const result = setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, chooses, PROGRAM_SIZE)
    return result === 0 ? undefined : koffi.errno()
  }
}

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

const load = async (): Promise<SocketOptions | undefined> => {
  if (!portsCanBeShared) return undefined
  try {
    const { default: koffi } = await import('koffi')
    // The process itself: whichever libc it runs on.
    return { steer: steerBy(koffi, koffi.load(null)) }
  } catch {
    return undefined
  }
}

let loaded: Promise<SocketOptions | undefined> | undefined

/** Undefined: this machine or installation has none. Loaded when somebody first asks: it costs some milliseconds. */
export const socketOptions = (): Promise<SocketOptions | undefined> => {
  loaded ??= load()
  return loaded
}

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
