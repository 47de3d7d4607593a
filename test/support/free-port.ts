import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer } from 'node:net'

/** A port of 127.0.0.1 that was free over TCP and UDP a moment ago, for programs that cannot be given port 0. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const socket = createSocket('udp4')
  const isFree = await new Promise<boolean>(resolve => {
    socket.once('error', () => resolve(false))
    socket.bind(port, '127.0.0.1', () => resolve(true))
  })
  await new Promise<void>(resolve => void socket.close(resolve))
  await new Promise<void>(resolve => void server.close(() => resolve()))
  return isFree ? port : freePort()
}
