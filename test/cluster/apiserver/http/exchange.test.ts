import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { readBody } from '#cluster/apiserver/http/exchange.ts'

test('a body that does not come is given up: HTTP/1.1', async t => {
  const server = createServer(message => void readBody(message, 50).catch(() => {})).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const sent = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, method: 'POST' })
  sent.on('error', () => {})
  sent.write('{')
  await new Promise(resolve => sent.once('close', resolve))
  t.true(sent.destroyed)
})

test('a body that does not come is given up: HTTP/2, and its connection stays', async t => {
  const server = createHttp2Server(message => void readBody(message, 50).catch(() => {})).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => session.close())
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.on('error', () => {})
  stream.write('{')
  await new Promise(resolve => stream.once('close', resolve))
  t.false(session.destroyed)
})
