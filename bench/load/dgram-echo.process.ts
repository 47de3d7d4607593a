/** `dgram-echo.process.ts ADDRESS PORT`: sends back what comes, by node:dgram, and does nothing else. */
import { createSocket } from 'node:dgram'

const [address, port] = process.argv.slice(2)
const RECEIVE_BUFFER = 4 << 20
const QR = 0x80

const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER })
socket.on('message', (packet, { address: client, port: clientPort }) => {
  packet[2] = packet[2]! | QR
  socket.send(packet, clientPort, client)
})
socket.bind(Number(port), address)
