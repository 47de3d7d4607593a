import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { startServer } from '../../support/dns-server.ts'

const COREFILE = '. {\n pprof 127.0.0.1:0\n}'

const servePages = async (t: ExecutionContext, { endpoints }: Configuration) => {
  const { server } = await startServer(t, { listeners: [], endpoints })
  const { port } = [...server.addresses().http.values()][0]!
  return `http://127.0.0.1:${port}/debug/pprof`
}

const text = async (url: string) => (await fetch(url)).text()

test('by default it is for this machine alone', t => {
  const { endpoints } = configure('. {\n pprof {\n  block 1\n }\n}')
  t.deepEqual(
    endpoints.map(({ address, path }) => `${address.host}:${address.port} ${path}`),
    ['/', '/profile', '/heap'].map(path => `localhost:6053 /debug/pprof${path}`),
  )
  t.deepEqual(problemsOf('. {\n pprof 6053\n}'), [
    'Corefile:2: pprof: "6053" is not HOST:PORT (like 127.0.0.1:1053, [::1]:1053 or :1053)',
  ])
})

test.serial('a CPU profile of so many seconds, its progress, and one at a time', async t => {
  const world = testWorld()
  const base = await servePages(t, configure(COREFILE, world))
  t.regex(await text(`${base}/`), /nothing is being recorded/)
  const profile = fetch(`${base}/profile?seconds=2`)
  while (/nothing is/.test(await text(`${base}/`)));
  await world.clock.advance(1000)
  t.regex(await text(`${base}/`), /a CPU profile is being recorded: 1s of 2s/)
  for (const page of ['profile', 'heap']) {
    const second = await fetch(`${base}/${page}`)
    t.is(second.status, 409)
    t.regex(await second.text(), /one at a time: a CPU profile/)
  }
  await world.clock.advance(1000)
  const reply = await profile
  t.is(reply.status, 200)
  t.is(reply.headers.get('content-disposition'), 'attachment; filename="seamark.cpuprofile"')
  const { nodes, samples, timeDeltas } = (await reply.json()) as Record<string, unknown[]>
  t.true(nodes!.length > 0 && samples!.length > 0 && timeDeltas!.length === samples!.length)
  for (const seconds of ['0', '301', 'x', '-1']) {
    const wrong = await fetch(`${base}/profile?seconds=${seconds}`)
    t.is(wrong.status, 400, seconds)
    await wrong.text()
  }
})

test.serial('a heap snapshot', async t => {
  const base = await servePages(t, configure(COREFILE))
  const reply = await fetch(`${base}/heap`)
  t.is(reply.headers.get('content-disposition'), 'attachment; filename="seamark.heapsnapshot"')
  const { snapshot } = (await reply.json()) as { snapshot: { node_count: number; meta: object } }
  t.true(snapshot.node_count > 1000)
})

test.serial('a client that leaves makes room for the next', async t => {
  const base = await servePages(t, configure(COREFILE))
  const abort = new AbortController()
  const first = await fetch(`${base}/heap`, { signal: abort.signal })
  t.is(first.status, 200)
  t.is((await fetch(`${base}/heap`, { method: 'GET' })).status, 409)
  abort.abort()
  while (!/nothing is being recorded/.test(await text(`${base}/`)));
  t.is((await fetch(`${base}/heap`, { method: 'HEAD' })).status, 200)
  t.regex(await text(`${base}/`), /nothing is being recorded/)
})
