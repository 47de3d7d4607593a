import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import test from 'ava'
import { afterLook, datagramsAlone } from '#server/listen.ts'
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
