import { connect } from 'node:http2'
import { request } from 'node:https'
import test, { type ExecutionContext } from 'ava'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'
import { openWatch } from '../../support/watch-lines.ts'

const PATH = '/api/v1/namespaces/default/configmaps?watch=1'

interface Idle {
  /** Resolves when the server has cut it. */
  readonly cut: Promise<void>
  /** Reads again, so that the cut is noticed. */
  resume(): void
}

const openFirst = (t: ExecutionContext, { url, tls }: RunningApiserver): Promise<Idle> =>
  new Promise((resolve, reject) => {
    const sent = request(url + PATH, { ...tls, agent: false }, response => {
      response.on('error', () => {})
      resolve({ cut: new Promise(done => response.once('close', done)), resume: () => response.resume() })
    })
    sent.on('error', reject)
    sent.end()
    t.teardown(() => sent.destroy())
  })

const openSecond = (t: ExecutionContext, { url, tls }: RunningApiserver): Promise<Idle> =>
  new Promise((resolve, reject) => {
    const session = connect(url, tls)
    session.on('error', reject)
    t.teardown(() => session.destroy())
    const stream = session.request({ ':path': PATH })
    stream.on('error', () => {})
    stream.on('response', () => {
      resolve({ cut: new Promise(done => stream.once('close', done)), resume: () => stream.resume() })
    })
  })

for (const [version, open] of Object.entries({ '1.1': openFirst, '2': openSecond })) {
  test(`a watcher over HTTP/${version} that does not read is cut off; the others miss nothing`, async t => {
    const server = await startApiserver(t)
    const reader = await openWatch(t, server, PATH)
    const idle = await open(t, server)
    const data = { x: 'x'.repeat(500_000) }
    // Twice what is buffered for one watcher, and what the kernel takes besides.
    const writes = 80
    for (let n = 0; n < writes; n++) {
      const metadata = { name: `m${n}`, namespace: 'default' }
      const made = await server.client.create(configMapKind, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
      t.true(made.ok)
      // The reader shares this thread with the server: let it read, or it were slow too.
      await reader.take(n + 1)
    }
    t.is(reader.ended, false)
    idle.resume()
    await idle.cut
  })
}
