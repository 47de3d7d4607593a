import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'

/** TCP and UDP on one port of 127.0.0.1, the system's choice: where UDP's is taken, another is tried. */
export const bindPair = async (server: Server, datagrams: Socket): Promise<number> => {
  for (;;) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    try {
      datagrams.bind(port, '127.0.0.1')
      await once(datagrams, 'listening')
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      server.close()
      await once(server, 'close')
    }
  }
}
