import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { missingSystemCalls, openDatagramSocket, socketAddress, systemCalls } from '#server/system-calls.ts'
import { type MissRecord, readRecords, roomForRecords, writeRecord, writeSocket } from '#server/udp/miss-records.ts'
import { ReplySender } from '#server/udp/reply-sender.ts'

const onLinux = missingSystemCalls() === undefined ? test : test.skip

const LOOPBACK = Buffer.from([127, 0, 0, 1])
/** Nobody may send there without asking for it (socket(7), SO_BROADCAST). */
const BROADCAST = Buffer.from([255, 255, 255, 255])

const openSocket = (t: ExecutionContext) => {
  const options = { reusePort: false, packetInfo: false, receiveBuffer: 1 << 16, receiveTimeout: 20 }
  const socket = openDatagramSocket(socketAddress(LOOPBACK, 0), options)
  t.teardown(() => systemCalls().close(socket.fd))
  return socket
}

const client = async (t: ExecutionContext): Promise<Socket> => {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** Of one datagram, as a worker hands it over. */
const missFrom = (address: Buffer, port: number): MissRecord => {
  const records = roomForRecords(1, 64)
  writeSocket(records, 1)
  const name = socketAddress(address, port).bytes
  const end = writeRecord(records, 4, { name, control: Buffer.alloc(0), packet: Buffer.from('question') })
  const read: MissRecord[] = []
  readRecords(records.subarray(0, end), record => read.push(record))
  return read[0]!
}

onLinux(
  'what waits leaves with a flush, each datagram to its client and by its socket, however many there are',
  async t => {
    const sockets = [openSocket(t), openSocket(t)]
    const clients = [await client(t), await client(t), await client(t)]
    const got = clients.map((): string[] => [])
    let count = 0
    const all = Promise.withResolvers<void>()
    const wanted = 100
    for (const [index, one] of clients.entries())
      one.on('message', (message, { port }) => {
        got[index]!.push(`${message} from ${sockets.findIndex(socket => socket.port === port)}`)
        if (++count === wanted) all.resolve()
      })
    const sender = new ReplySender(() => t.fail('lost'))
    const sent = clients.map((): string[] => [])
    t.true(sender.isEmpty)
    for (let number = 0; number < wanted; number++) {
      const to = number % clients.length
      const by = Math.floor(number / 40) % sockets.length
      sender.add(sockets[by]!.fd, missFrom(LOOPBACK, clients[to]!.address().port), Buffer.from(`reply ${number}`))
      sent[to]!.push(`reply ${number} from ${by}`)
    }
    t.false(sender.isEmpty)
    sender.flush()
    t.true(sender.isEmpty)
    await all.promise
    // Of one socket, in their order.
    const bySocket = (lines: readonly string[]) =>
      lines.toSorted((one, other) => one.at(-1)!.localeCompare(other.at(-1)!))
    t.deepEqual(got.map(bySocket), sent.map(bySocket))
  },
)

onLinux('a datagram that the system does not take is lost and told; those behind it are sent', async t => {
  const { fd } = openSocket(t)
  const one = await client(t)
  const { port } = one.address()
  let lost = 0
  const sender = new ReplySender(() => lost++)
  sender.add(fd, missFrom(LOOPBACK, port), Buffer.from('first'))
  sender.add(fd, missFrom(BROADCAST, port), Buffer.from('nobody'))
  sender.add(fd, missFrom(LOOPBACK, port), Buffer.from('second'))
  const got: string[] = []
  const both = new Promise<void>(resolve =>
    one.on('message', message => {
      if (got.push(String(message)) === 2) resolve()
    }),
  )
  sender.flush()
  await both
  t.deepEqual(got, ['first', 'second'])
  t.is(lost, 1)
})
