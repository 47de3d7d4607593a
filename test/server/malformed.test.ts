/**
 * 10,000 malformed packets over UDP and over TCP against a real server: no crash, no stall, the right rcode or silence.
 * What is right is told here from the first twelve bytes and from how the packet was made, apart from the code under
 * test.
 */
import { createSocket, type Socket } from 'node:dgram'
import { connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { ask, frame } from '../support/dns-client.ts'
import { startServer } from '../support/dns-server.ts'
import { type MalformedPacket, malformedPacket, neverQueries, SeededNumbers } from '../support/malformed-packets.ts'

const COUNT = 10_000
/** Milliseconds: an answer that has not come by then does not come. One core may be another test's. */
const DEADLINE = 60_000

const NOERROR = 0
const FORMERR = 1
const NOTIMP = 4

/** The rcodes (low four bits) that a reply may have; `undefined`: silence is the only right answer. */
const rightRcodes = ({ kind, packet }: MalformedPacket): readonly number[] | undefined => {
  if (packet.length < 12 || packet[2]! & 0x80) return undefined
  if (packet[2]! & 0x78) return [NOTIMP]
  const [questions, answers, authority, additional] = [4, 6, 8, 10].map(at => packet.readUInt16BE(at))
  if (questions !== 1 || answers! > 1 || authority! > 1 || additional! > 2) return [FORMERR]
  if (neverQueries.has(kind)) return [FORMERR]
  // BADVERS is 16: its low bits are those of NOERROR.
  return [NOERROR, FORMERR]
}

const isReply = (reply: Buffer): boolean => reply.length >= 12 && (reply[2]! & 0x80) !== 0

/** Sends the packet by `send`, and checks what comes back for it. The id is made the index, so that replies can be told apart. */
class Judge {
  readonly #t: ExecutionContext
  readonly #open = new Map<number, readonly number[]>()
  readonly counts = { replied: 0, silent: 0 }

  constructor(t: ExecutionContext) {
    this.#t = t
  }

  expect(packet: MalformedPacket, id: number): void {
    const right = rightRcodes(packet)
    if (right) this.#open.set(id, right)
    else this.counts.silent++
  }

  take(reply: Buffer): void {
    const id = reply.readUInt16BE(0)
    const right = this.#open.get(id)
    const rcode = reply[3]! & 0xf
    this.#open.delete(id)
    this.counts.replied++
    if (!isReply(reply) || !right?.includes(rcode)) this.#t.fail(`reply ${reply.toString('hex')} is not right`)
  }

  get waiting(): number {
    return this.#open.size
  }
}

const packets = (seed: number): MalformedPacket[] => {
  const numbers = new SeededNumbers(seed)
  return Array.from({ length: COUNT }, (_, index) => {
    const { kind, packet } = malformedPacket(numbers)
    if (packet.length >= 2) packet.writeUInt16BE(index, 0)
    return { kind, packet }
  })
}

const settled = async (judge: Judge): Promise<void> => {
  for (const end = performance.now() + DEADLINE; judge.waiting > 0 && performance.now() < end; ) {
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** A good question between them is answered. */
const probe = async (t: ExecutionContext, port: number, transport: 'udp' | 'tcp'): Promise<void> => {
  const reply = await ask({ name: 'probe.example', port, transport, deadline: DEADLINE })
  t.is(reply.rcode, 'NOERROR')
}

const openUdp = async (t: ExecutionContext, port: number): Promise<Socket> => {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
  t.teardown(() => socket.close())
  await new Promise<void>(resolve => socket.connect(port, '127.0.0.1', resolve))
  return socket
}

test.serial('10,000 malformed packets over UDP', async t => {
  const { port } = await startServer(t)
  const judge = new Judge(t)
  const socket = await openUdp(t, port)
  socket.on('message', reply => judge.take(reply))
  for (const [index, packet] of packets(6).entries()) {
    judge.expect(packet, index)
    socket.send(packet.packet)
    // Small bursts: the kernel's buffers must not be what drops them.
    if (index % 100 === 99) await probe(t, port, index % 500 === 499 ? 'tcp' : 'udp')
  }
  await settled(judge)
  t.is(judge.waiting, 0)
  t.is(judge.counts.replied + judge.counts.silent, COUNT)
  t.true(judge.counts.silent > 500 && judge.counts.replied > 5000, JSON.stringify(judge.counts))
})

/** Reads frames from the stream and gives them to the judge. */
const judgeFrames = (judge: Judge) => {
  let received = Buffer.alloc(0)
  return (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      judge.take(received.subarray(2, end))
      received = received.subarray(end)
    }
  }
}

test.serial('10,000 malformed packets over TCP', async t => {
  const { port } = await startServer(t)
  const judge = new Judge(t)
  let socket = connect(port, '127.0.0.1')
  const open = () => {
    socket = connect(port, '127.0.0.1')
    socket.on('data', judgeFrames(judge))
    socket.on('error', error => t.fail(String(error)))
  }
  socket.destroy()
  open()
  t.teardown(() => socket.destroy())
  for (const [index, packet] of packets(7).entries()) {
    const bytes = packet.packet
    if (bytes.length === 0) {
      // A frame of no bytes ends the connection: after the replies that are due, on the next one.
      await settled(judge)
      const last = socket
      const closed = new Promise(resolve => last.once('close', resolve))
      last.write(frame(bytes))
      judge.counts.silent++
      await closed
      open()
      continue
    }
    judge.expect(packet, index)
    socket.write(frame(bytes))
    if (index % 100 === 99) await probe(t, port, index % 500 === 499 ? 'udp' : 'tcp')
  }
  await settled(judge)
  t.is(judge.waiting, 0)
  t.is(judge.counts.replied + judge.counts.silent, COUNT)
})

test.serial('malformed streams over TCP: connections end or stay, the server goes on', async t => {
  const { port } = await startServer(t, { options: { tcpReadTimeout: 200 } })
  const numbers = new SeededNumbers(8)
  const clients = Array.from({ length: 100 }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    socket.write(numbers.bytes(numbers.below(2000)))
    return new Promise(resolve => socket.on('close', resolve))
  })
  await probe(t, port, 'tcp')
  await Promise.all(clients)
  await probe(t, port, 'udp')
})
