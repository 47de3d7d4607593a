import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import test from 'ava'
import { afterLook, datagramsAlone, listenOn } from '#server/listen.ts'
import { freePort, whenLeft } from '../support/free-port.ts'

const bind = async (port: number) => {
  const socket = createSocket('udp4')
  socket.bind(port, '127.0.0.1')
  await once(socket, 'listening').catch((error: unknown) => {
    socket.close()
    throw error
  })
  return socket
}

test('what the look leaves for a moment is waited for; what others have is an error', async t => {
  const port = await freePort()
  const left = await bind(port)
  const look = async () => void setTimeout(() => left.close(() => {}), 5)
  await t.throwsAsync(
    afterLook(
      async () => {},
      () => bind(port),
    ),
    { code: 'EADDRINUSE' },
  )
  const opened = await afterLook(look, () => bind(port))
  t.is(opened.address().port, port)
  opened.close()
  await t.throwsAsync(
    afterLook(
      async () => {},
      () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' })),
    ),
    { code: 'EACCES' },
  )
})

test('who looks leaves nothing, and sees those that would share', async t => {
  const port = await freePort()
  const address = { address: '127.0.0.1', family: 4 } as const
  await datagramsAlone(address, port)
  await whenLeft(port)
  const socket = await bind(port)
  t.teardown(() => socket.close())
  await t.throwsAsync(datagramsAlone(address, port), { code: 'EADDRINUSE' })
})

test('a listener that had to wait keeps nothing of its tries', async t => {
  const port = await freePort()
  const other = createServer()
  other.listen({ host: '127.0.0.1', port, exclusive: true })
  await once(other, 'listening')
  const server = createServer()
  const bind = { address: '127.0.0.1', family: 4 } as const
  // Joining, it looks for nobody; and only who shares lets it.
  const open = () => listenOn(server, { bind, port, joins: true, notAccepted: () => {} })
  for (let time = 0; time < 20; time++) await t.throwsAsync(open(), { code: 'EADDRINUSE' })
  t.deepEqual([server.listenerCount('listening'), server.listenerCount('error')], [0, 0])
  await new Promise(resolve => other.close(resolve))
  await whenLeft(port)
  t.is(await open(), port)
  t.teardown(() => server.close())
  t.deepEqual([server.listenerCount('listening'), server.listenerCount('error')], [0, 1])
})
