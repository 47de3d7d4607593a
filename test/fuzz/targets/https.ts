/** DNS over HTTPS (RFC 8484), in the clear: any bytes for a request of HTTP/1.1. */
import assert from 'node:assert'
import type { SeededNumbers } from '../../support/malformed-packets.ts'
import { mutated } from '../mutate.ts'
import { type ListeningServer, startListening } from '../server.ts'
import { exchangeStream } from '../stream-exchange.ts'
import type { FuzzTarget } from '../target.ts'
import { randomQuery } from '../words.ts'

let server: ListeningServer

/** Milliseconds: a connection that is open for longer stays so. A machine may stand still for a while. */
const DEADLINE = 60_000

const words = [
  'GET ',
  'POST ',
  '/dns-query',
  '?dns=',
  '&dns=',
  '?name=',
  '&type=',
  '&cd=1',
  '&do=true',
  ' HTTP/1.1\r\n',
  'host: a\r\n',
  'content-type: application/dns-message\r\n',
  'accept: application/dns-json\r\n',
  'content-length: 0\r\n',
  'transfer-encoding: chunked\r\n',
  '\r\n\r\n',
  '0\r\n\r\n',
  '%00',
  '%zz',
  'AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB',
  '=',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
].map(text => Buffer.from(text))

const randomRequest = (numbers: SeededNumbers): Buffer => {
  const query = randomQuery(numbers)
  const tail = 'host: dns.example\r\nconnection: close\r\n'
  if (numbers.below(2) === 0)
    return Buffer.from(`GET /dns-query?dns=${query.toString('base64url')} HTTP/1.1\r\n${tail}\r\n`)
  const length = numbers.below(8) === 0 ? numbers.below(600) : query.length
  const head = `POST /dns-query HTTP/1.1\r\n${tail}content-type: application/dns-message\r\ncontent-length: ${length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), query])
}

export const httpsTarget: FuzzTarget = {
  name: 'https',
  seedForm: 'text',
  words,
  mutate: (numbers, input) => {
    const request = numbers.below(2) === 0 ? randomRequest(numbers) : input
    return numbers.below(4) === 0 ? request : mutated(numbers, request, words)
  },
  async start() {
    server = await startListening('https')
  },
  async run(input) {
    const received = await exchangeStream(server.port, input, DEADLINE)
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(received.toString('latin1', 0, 20))?.[1]
    assert.notEqual(status, '500', 'what the client sent is no fault of the server')
    assert.equal(await server.panics(), 0, 'a plugin threw')
  },
  close: () => server.close(),
}
