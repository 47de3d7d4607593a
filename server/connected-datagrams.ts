/** Connected UDP sockets by system calls, for questions to other servers: each costs a fraction of what node:dgram does. */
import type { Datagrams } from '#resolver/upstream/datagrams.ts'
import {
  connectDatagramSocket,
  type DatagramAddress,
  missingLibrary,
  sendDatagram,
  systemCalls,
} from './system-calls.ts'
import { datagramAddress } from './udp/socket-name.ts'

/** The zone of `fe80::1%eth0` is the number that the interface has when a socket is opened: it may come, or come anew, later. */
const addressOf = (address: string, port: number): (() => DatagramAddress) => {
  const known = (): DatagramAddress => datagramAddress({ address, family: address.includes(':') ? 6 : 4 }, port)
  if (address.includes('%')) return known
  const always = known()
  return () => always
}

export const connectedDatagrams: Datagrams = {
  towards(address, port, source) {
    if (missingLibrary() !== undefined) return undefined
    const remote = addressOf(address, port)
    const local = source === undefined ? undefined : addressOf(source, 0)
    return {
      open: () => connectDatagramSocket(remote(), local?.()),
      send: sendDatagram,
      close: descriptor => void systemCalls().close(descriptor),
    }
  },
}
