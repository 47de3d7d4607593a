/** The law: by the time a write is answered, its events have been written to every watch stream. */
import { connect } from 'node:http2'
import test from 'ava'
import { startApiserver } from '../../support/apiserver.ts'
import { openWatch, type WatchLines } from '../../support/watch-lines.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const WRITES = 200

/** What has arrived at this process's sockets by now is read in this turn of the event loop, or it is late. */
const pollOnce = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

const versionsSeen = (watch: WatchLines): Set<string> =>
  new Set(watch.seen.map(({ object }) => object.metadata.resourceVersion))

for (const watcher of ['HTTP/1.1', 'HTTP/2'] as const) {
  for (const writer of ['HTTP/1.1', 'HTTP/2'] as const) {
    test(`${WRITES} writes over ${writer}: a watcher over ${watcher} has each event when the answer is there`, async t => {
      const server = await startApiserver(t)
      const watches = await Promise.all(
        [1, 2, 3].map(() => openWatch(t, server, `${MAPS}?watch=1`, { http2: watcher === 'HTTP/2' })),
      )
      const session = connect(server.url, server.tls)
      t.teardown(() => session.destroy())
      const post = (body: object): Promise<{ metadata: { resourceVersion: string } }> => {
        if (writer === 'HTTP/1.1') return server.fetch(MAPS, { method: 'POST', body }).then(({ json }) => json)
        return new Promise((resolve, reject) => {
          const stream = session.request({ ':method': 'POST', ':path': MAPS, 'content-type': 'application/json' })
          let text = ''
          stream.setEncoding('utf8').on('data', chunk => (text += chunk))
          stream.on('end', () => resolve(JSON.parse(text)))
          stream.on('error', reject)
          stream.end(JSON.stringify(body))
        })
      }
      let late = 0
      for (let n = 0; n < WRITES; n++) {
        const { metadata } = await post({ metadata: { name: `m${n}` }, data: { n: String(n) } })
        await pollOnce()
        for (const watch of watches) if (!versionsSeen(watch).has(metadata.resourceVersion)) late++
      }
      t.is(late, 0)
    })
  }
}

test('under concurrent writers every watcher sees every change once, in the order of versions', async t => {
  const server = await startApiserver(t)
  const watches = await Promise.all(
    [false, true, false, true].map(http2 => openWatch(t, server, `${MAPS}?watch=1`, { http2 })),
  )
  const writers = Array.from({ length: 10 }, async (_, w) => {
    for (let n = 0; n < 30; n++) {
      const name = `w${w}-${n % 5}`
      const body = { metadata: { name }, data: { n: String(n) } }
      const made = await server.fetch(MAPS, { method: 'POST', body })
      if (made.code === 409) await server.fetch(`${MAPS}/${name}`, { method: 'PUT', body })
    }
  })
  await Promise.all(writers)
  const list = await server.fetch(MAPS)
  const expected = 10 * 30
  for (const watch of watches) {
    const lines = await watch.take(expected)
    const versions = lines.map(({ object }) => Number(object.metadata.resourceVersion))
    t.deepEqual(
      versions,
      [...new Set(versions)].sort((a, b) => a - b),
    )
    const state = new Map(lines.map(({ object }) => [object.metadata.name, object]))
    t.deepEqual(
      list.json.items.map((item: { data: object }) => item.data),
      [...state.keys()].sort().map(name => state.get(name).data),
    )
  }
})

test('on one HTTP/2 connection, an event is ahead of the answer to its write', async t => {
  const server = await startApiserver(t)
  const session = connect(server.url, server.tls)
  t.teardown(() => session.destroy())
  const events: string[] = []
  const watching = session.request({ ':path': `${MAPS}?watch=1` })
  watching.setEncoding('utf8').on('data', text => events.push(text))
  await new Promise(resolve => watching.once('response', resolve))
  let late = 0
  for (let n = 0; n < WRITES; n++) {
    const stream = session.request({ ':method': 'POST', ':path': MAPS, 'content-type': 'application/json' })
    const name = `"name":"m${n}"`
    stream.once('response', () => {
      if (!events.join('').includes(name)) late++
    })
    stream.resume()
    stream.end(JSON.stringify({ metadata: { name: `m${n}` } }))
    await new Promise(resolve => stream.once('close', resolve))
    t.true(events.join('').includes(name))
    events.length = 0
  }
  t.is(late, 0)
})
