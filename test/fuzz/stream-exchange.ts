/** All that a server sends on one connection, for all that it is sent. */
import { connect } from 'node:net'

/** Rejects after `deadline` milliseconds; a connection that the server resets ends the reply. */
export const exchangeStream = (port: number, input: Buffer, deadline: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const received: Buffer[] = []
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`the connection is open ${deadline} ms after its last byte`))
    }, deadline)
    socket.on('data', chunk => void received.push(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(received))
    })
    // Two pieces, so that a message may lie in both.
    const half = input.length >> 1
    socket.setNoDelay(true)
    socket.write(input.subarray(0, half), () => socket.end(input.subarray(half)))
  })
