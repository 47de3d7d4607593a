import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { InputLedger, InputWatch } from '#lib/input-ledger.ts'

/** Both ends of a connection. */
const pair = async (t: ExecutionContext): Promise<[Socket, Socket]> => {
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepted = once(listener, 'connection')
  const writer = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  const [reader] = (await accepted) as [Socket]
  t.teardown(() => {
    writer.destroy()
    reader.destroy()
    listener.close()
  })
  return [writer, reader]
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('caught up means: as many bytes were taken in as the kernel has received', async t => {
  const [writer, reader] = await pair(t)
  const ledger = new InputLedger()
  let received: number | undefined = 0
  const watch = new InputWatch(ledger.shared, () => received)
  t.true(watch.caughtUp(0), 'nothing is followed')
  ledger.follow(reader)
  reader.on('data', ledger.publishSoon)
  t.true(watch.caughtUp(0))
  received = 5
  t.false(watch.caughtUp(0), 'on its way')
  writer.write('hello')
  await once(reader, 'data')
  await turn()
  t.true(watch.caughtUp(0))
  received = undefined
  t.false(watch.caughtUp(0), 'its end has not been heard of')
  reader.destroy()
  await once(reader, 'close')
  t.false(watch.caughtUp(0), 'its readers may not have heard of it')
  await turn()
  await turn()
  t.true(watch.caughtUp(0))
})

test('a few connections are followed; where there are more, nobody is sure', async t => {
  const ledger = new InputLedger()
  const watch = new InputWatch(ledger.shared, () => 0)
  const readers: Socket[] = []
  for (let index = 0; index < 9; index++) {
    const [, reader] = await pair(t)
    ledger.follow(reader)
    readers.push(reader)
  }
  t.false(watch.caughtUp(0))
  const closed = once(readers[8]!, 'close')
  readers[8]!.destroy()
  await closed
  t.true(watch.caughtUp(0))
  readers[7]!.destroy()
  await once(readers[7]!, 'close')
  const [, another] = await pair(t)
  await turn()
  await turn()
  ledger.follow(another)
  t.true(watch.caughtUp(0), 'there is a place again')
})

test('a connection that has ended before anybody follows it takes no place', async t => {
  const ledger = new InputLedger()
  const watch = new InputWatch(ledger.shared, () => 0)
  const [, reader] = await pair(t)
  const closed = once(reader, 'close')
  reader.destroy()
  await closed
  ledger.follow(reader)
  t.true(watch.caughtUp(0))
})
