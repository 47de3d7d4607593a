import { request } from 'node:http'
import { connect } from 'node:net'
import test from 'ava'
import type { HttpEndpoint, HttpReply } from '#resolver/listener.ts'
import { startServer } from '../support/dns-server.ts'

const address = { host: '127.0.0.1', port: 0 }
const endpoint = (path: string, reply: HttpEndpoint['reply']): HttpEndpoint => ({ address, path, reply })
const text = (body: string, status = 200): HttpReply => ({ status, contentType: 'text/plain; version=0.0.4', body })

const startPages = async (t: Parameters<typeof startServer>[0], endpoints: HttpEndpoint[], options = {}) => {
  const { server } = await startServer(t, { listeners: [], endpoints, options })
  const { port } = [...server.addresses().http.values()][0]!
  return { server, port, base: `http://127.0.0.1:${port}` }
}

test('several paths on one address', async t => {
  const { base } = await startPages(t, [
    endpoint('/metrics', async () => text('up 1\n')),
    endpoint('/ready', () => text('kubernetes', 503)),
  ])
  const metrics = await fetch(`${base}/metrics?x=1`)
  t.is(metrics.status, 200)
  t.is(metrics.headers.get('content-type'), 'text/plain; version=0.0.4')
  t.is(await metrics.text(), 'up 1\n')
  t.is((await fetch(`${base}/ready`)).status, 503)
  t.is((await fetch(`${base}/nothing`)).status, 404)
  t.is((await fetch(`${base}/`)).status, 404)
})

test('GET and HEAD only', async t => {
  const { base } = await startPages(t, [endpoint('/health', () => text('OK'))])
  const posted = await fetch(`${base}/health`, { method: 'POST', body: 'x' })
  t.is(posted.status, 405)
  t.is(posted.headers.get('allow'), 'GET, HEAD')
  const head = await fetch(`${base}/health`, { method: 'HEAD' })
  t.is(head.status, 200)
  t.is(head.headers.get('content-length'), '2')
  t.is(await head.text(), '')
})

test('a page that fails is a 500, and the server lives', async t => {
  const { base } = await startPages(t, [
    endpoint('/throws', () => {
      throw new Error('broken')
    }),
    endpoint('/health', () => text('OK')),
  ])
  t.is((await fetch(`${base}/throws`)).status, 500)
  t.is((await fetch(`${base}/health`)).status, 200)
})

test('a reload changes the pages of an address that stays open', async t => {
  const { server, base, port } = await startPages(t, [endpoint('/health', () => text('old'))])
  const here = { host: '127.0.0.1', port }
  await server.converge([], [{ address: here, path: '/health', reply: () => text('new') }])
  t.is(await (await fetch(`${base}/health`)).text(), 'new')
  await server.converge([], [{ address: here, path: '/ready', reply: () => text('newer') }])
  t.is((await fetch(`${base}/health`)).status, 404)
  t.is(await (await fetch(`${base}/ready`)).text(), 'newer')
})

test('clients that send half a request are cut off', async t => {
  const { port } = await startPages(t, [endpoint('/health', () => text('OK'))], { httpTimeout: 200 })
  const half = connect(port, '127.0.0.1')
  // It may show as a reset.
  half.on('error', () => {})
  half.write('GET /health HTTP/1.1\r\nhost: x')
  half.resume()
  await new Promise(resolve => half.on('close', resolve))
  t.pass()
})

test('clients that send great headers are cut off', async t => {
  const { port } = await startPages(t, [endpoint('/health', () => text('OK'))])
  const status = await new Promise(resolve => {
    request({ port, host: '127.0.0.1', path: '/health', headers: { x: 'y'.repeat(20_000) } }, response => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', () => resolve('closed'))
      .end()
  })
  t.true(status === 431 || status === 'closed')
})

test('closing waits for a page on its way', async t => {
  let asked = () => {}
  const arrived = new Promise<void>(resolve => (asked = resolve))
  let release = (_: HttpReply) => {}
  const slow = endpoint('/slow', () => {
    asked()
    return new Promise<HttpReply>(resolve => (release = resolve))
  })
  const { server, base } = await startPages(t, [slow], { drainTimeout: 600_000 })
  const page = fetch(`${base}/slow`).then(response => response.text())
  await arrived
  const closed = server.close()
  release(text('late'))
  t.is(await page, 'late')
  await closed
})
