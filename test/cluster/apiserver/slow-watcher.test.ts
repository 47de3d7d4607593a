import { request } from 'node:https'
import test from 'ava'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { startApiserver } from '../../support/apiserver.ts'
import { openWatch } from '../../support/watch-lines.ts'

const PATH = '/api/v1/namespaces/default/configmaps?watch=1'

test('a watcher that does not read is cut off; the others miss nothing', async t => {
  const server = await startApiserver(t)
  const reader = await openWatch(t, server, PATH)
  const idle = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const sent = request(server.url + PATH, { ...server.tls, agent: false }, resolve)
    sent.on('error', reject)
    sent.end()
    t.teardown(() => sent.destroy())
  })
  const cut = new Promise<void>(resolve => idle.once('close', resolve))
  idle.on('error', () => {})
  const data = { x: 'x'.repeat(500_000) }
  // Twice what is buffered for one watcher, and what the kernel takes besides.
  const writes = 80
  for (let n = 0; n < writes; n++) {
    const metadata = { name: `m${n}`, namespace: 'default' }
    const made = await server.client.create(configMapKind, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
    t.true(made.ok)
  }
  await reader.take(writes)
  idle.resume()
  await cut
  t.false(idle.complete)
})
