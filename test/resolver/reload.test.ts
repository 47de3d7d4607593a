import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadConfiguration } from '#resolver/configuration.ts'
import { formatProblem } from '#resolver/corefile/syntax.ts'
import type { DnsListener, HttpEndpoint } from '#resolver/listener.ts'
import { LiveConfiguration } from '#resolver/reload.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { askBy, testWorld } from '../support/dns-environment.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { aRecord, startUpstream } from '../support/upstream.ts'

/** A live configuration of a file that the test writes; `refuse` makes the next opening of sockets fail. */
const live = async (t: ExecutionContext, first: string) => {
  const world = testWorld()
  const file = join(temporaryFolder(t), 'Corefile')
  const write = (text: string) => writeFileSync(file, text)
  write(first)
  const opened: { listeners: readonly DnsListener[]; endpoints: readonly HttpEndpoint[] } = {
    listeners: [],
    endpoints: [],
  }
  const sockets = { opened, refuse: false }
  const configuration = new LiveConfiguration({
    ...world,
    load: requestReload => loadConfiguration({ file }, { ...world, requestReload }),
    converge: async (listeners, endpoints) => {
      if (sockets.refuse) throw new Error('address in use')
      Object.assign(opened, { listeners, endpoints })
    },
  })
  t.teardown(() => configuration.close())
  t.deepEqual(await configuration.start(), { outcome: 'reloaded' })
  const ask = (name = 'www.example.org.', server = 'dns://:53') => askBy(configuration.respond, name, { server })
  return { world, file, write, sockets, configuration, ask }
}

const hosts = (address: string, rest = '') =>
  `.:53 {\n hosts /nowhere {\n ${address} www.example.org\n }\n health\n ${rest}\n}\n`
const addressIn = (reply: Awaited<ReturnType<typeof askBy>>) => reply?.answers[0]?.data.at(-1)

test('a good file takes over, a bad one changes nothing', async t => {
  const { world, file, write, sockets, configuration, ask } = await live(t, hosts('192.0.2.1'))
  t.is(addressIn(await ask()), 1)
  write(hosts('192.0.2.2'))
  t.deepEqual(await configuration.reload(), { outcome: 'reloaded' })
  t.is(addressIn(await ask()), 2)

  write(hosts('192.0.2.3', 'bogus'))
  const refused = await configuration.reload()
  t.is(refused.outcome, 'refused')
  if (refused.outcome === 'refused')
    t.deepEqual(refused.problems.map(formatProblem), [`${file}:6: unknown directive "bogus"`])
  t.is(addressIn(await ask()), 2)
  t.deepEqual(
    sockets.opened.endpoints.map(({ path }) => path),
    ['/health'],
  )

  write(hosts('192.0.2.4'))
  sockets.refuse = true
  t.is((await configuration.reload()).outcome, 'failed')
  t.is(addressIn(await ask()), 2)
  t.true((await world.registry.metrics()).includes('coredns_reload_failed_total 2'))

  sockets.refuse = false
  t.is((await configuration.reload()).outcome, 'reloaded')
  t.is(addressIn(await ask()), 4)
})

test('new listeners answer from the moment that they are open', async t => {
  const { write, configuration, ask, sockets } = await live(t, hosts('192.0.2.1'))
  write(`${hosts('192.0.2.1')}.:54 {\n hosts /nowhere {\n 192.0.2.9 www.example.org\n }\n}\n`)
  const during: unknown[] = []
  Object.defineProperty(sockets, 'refuse', {
    get: () => {
      during.push(ask('www.example.org.', 'dns://:54').then(addressIn), ask().then(addressIn))
      return false
    },
  })
  await configuration.reload()
  t.deepEqual(await Promise.all(during), [9, 1])
})

test('reloads that are asked for while one runs become one more', async t => {
  const { write, configuration, ask } = await live(t, hosts('192.0.2.1'))
  write(hosts('192.0.2.2'))
  const first = configuration.reload()
  write(hosts('192.0.2.3'))
  const [second, third] = [configuration.reload(), configuration.reload()]
  t.is(second, third)
  await Promise.all([first, second])
  t.is(addressIn(await ask()), 3)
})

test('questions in hand are answered by the configuration that took them; the cache stays', async t => {
  let release = () => {}
  const upstream = await startUpstream(t, {
    respond: ({ question }) => {
      const answers = [aRecord(question.name, 60, '192.0.2.7')]
      if (!question.canonicalName.startsWith('slow')) return { answers }
      return new Promise(resolve => {
        release = () => resolve({ answers })
      })
    },
  })
  const text = `. {\n cache\n forward . ${upstream.target} {\n force_tcp\n }\n}\n`
  const { write, configuration, ask } = await live(t, text)
  await ask('quick.example.org.')
  const slow = ask('slow.example.org.')
  while (upstream.queries.length < 2) await new Promise(resolve => setImmediate(resolve))
  write(`${text}# changed\n`)
  t.is((await configuration.reload()).outcome, 'reloaded')
  t.is(addressIn(await ask('quick.example.org.')), 7)
  t.is(upstream.queries.length, 2)
  release()
  t.is(addressIn(await slow), 7)
})

test('a block that moves to another address keeps what it has; two that differ in that alone do not mix it up', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ question }) => ({ answers: [aRecord(question.name, 60, '192.0.2.7')] }),
  })
  const block = (address: string) => `. {\n bind ${address}\n cache\n forward . ${upstream.target}\n}\n`
  const { write, configuration, ask } = await live(t, block('127.0.0.1') + block('127.0.0.2'))
  await ask('first.example.org.', 'dns://127.0.0.1:53')
  await ask('second.example.org.', 'dns://127.0.0.2:53')
  t.is(upstream.queries.length, 2)
  write(block('127.0.0.2') + block('127.0.0.3'))
  t.is((await configuration.reload()).outcome, 'reloaded')
  await ask('second.example.org.', 'dns://127.0.0.2:53')
  await ask('first.example.org.', 'dns://127.0.0.3:53')
  t.is(upstream.queries.length, 2)
  await ask('first.example.org.', 'dns://127.0.0.2:53')
  t.is(upstream.queries.length, 3)
})

test('the reload plugin notices changes of the file, and of what it imports, by itself', async t => {
  const { world, file, write, ask } = await live(t, hosts('192.0.2.1', 'reload 2s 1s\n import *.part'))
  const version = async () =>
    /coredns_reload_version_info\{hash="sha512",value="([0-9a-f]{128})"\} 1/.exec(await world.registry.metrics())?.[1]
  const before = await version()
  t.truthy(before)
  write(hosts('192.0.2.2', 'reload 2s 1s\n import *.part'))
  while (addressIn(await ask()) !== 2) await world.clock.advance(500)
  t.not(await version(), before)
  writeFileSync(join(file, '..', 'more.part'), 'acl\n')
  while (!(await world.registry.metrics()).includes('coredns_reload_failed_total 1')) await world.clock.advance(500)
  writeFileSync(join(file, '..', 'more.part'), 'errors\n')
  const second = await version()
  while ((await version()) === second) await world.clock.advance(500)
  t.is((await ask('other.example.org.'))?.rcode, rcodes.NXDOMAIN)
})

test('a mistake that was taken back is told no longer', async t => {
  const good = hosts('192.0.2.1', 'reload 2s 1s')
  const { world, write, configuration } = await live(t, good)
  write(hosts('192.0.2.1', 'bogus'))
  while (!configuration.state.refused) await world.clock.advance(500)
  write(good)
  // The file is read from disk: a thousand looks are a deadline that no machine is too slow for.
  for (let looks = 0; looks < 1000 && configuration.state.refused; looks++) await world.clock.advance(500)
  t.falsy(configuration.state.refused)
})
