/** JSON over HTTPS to a server that may be slow, rude or gone. */
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { HttpsJson } from '#cluster/apiserver/webhook/https-json.ts'
import { makeAuthority } from '../../../support/certificates.ts'

const start = async (t: ExecutionContext, answer: (path: string) => string | undefined) => {
  const { ca, server: issue } = await makeAuthority()
  const server: Server = createServer(await issue(), (request, response) => {
    request.resume().on('end', () => {
      const body = answer(request.url ?? '')
      if (body !== undefined) response.end(body)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = new HttpsJson({ url: `https://127.0.0.1:${port}/`, ca: ca.toString() })
  t.teardown(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return { server, client, url: `https://127.0.0.1:${port}` }
}

test('a kept connection that the server closes meanwhile costs no answer', async t => {
  const { server, client } = await start(t, () => '{"a":1}')
  for (let round = 0; round < 50; round++) {
    t.deepEqual(await client.send({ round }), { a: 1 })
    server.closeIdleConnections()
  }
})

test('a connection that ends while the server thinks is an error, not another try', async t => {
  let asked = 0
  const { server, client } = await start(t, () => {
    asked++
    setImmediate(() => server.closeAllConnections())
    return undefined
  })
  await t.throwsAsync(client.send({}), { message: /hang up|ECONNRESET/ })
  t.is(asked, 1)
})

test('what is too long, too late or no JSON is no answer', async t => {
  const { client, url } = await start(t, path => {
    if (path === '/late') return undefined
    return path === '/long' ? `"${'x'.repeat(2 * 1024 * 1024)}"` : 'no json'
  })
  await t.throwsAsync(client.send({}, { url: `${url}/long` }), { message: 'the answer is too large' })
  const late = await t.throwsAsync(client.send({}, { url: `${url}/late`, timeout: 100 }))
  t.regex(late?.name ?? '', /Abort|Timeout/)
  await t.throwsAsync(client.send({}, { url: `${url}/text` }), { instanceOf: SyntaxError })
})
