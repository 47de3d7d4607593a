/** Datagrams to one address by the system's own calls, where a program has them: node:dgram costs as much as the rest. */

export interface Datagrams {
  /** `source`: the address to send from; undefined: the system's choice. Undefined where the machine has not the calls. */
  readonly towards: (address: string, port: number, source: string | undefined) => DatagramRoute | undefined
}

export interface DatagramRoute {
  /** The descriptor of a connected socket at a random port of the system's choice. @throws the system's error */
  readonly open: () => number
  /** The system's error, where it did not take the datagram. */
  readonly send: (descriptor: number, packet: Buffer) => Error | undefined
  readonly close: (descriptor: number) => void
}
