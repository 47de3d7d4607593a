import test, { type ExecutionContext } from 'ava'
import { silentLogger } from '#lib/log.ts'
import type { Configuration } from '#resolver/configuration.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

const edns = { udpSize: 1232, dnssecOk: false, options: [] }

/** An upstream that asks the configuration again, as long as `leadsBack`. */
const startLoop = async (t: ExecutionContext, configuration: () => Configuration) => {
  const state = { leadsBack: true }
  const upstream = await startUpstream(t, {
    respond: async ({ question }) => {
      if (!state.leadsBack) return { answers: [aRecord(question.name, 60, '192.0.2.1')] }
      const back = await ask(configuration(), question.name, { type: question.type, client: '127.0.0.1' })
      return { rcode: back?.rcode ?? rcodes.SERVFAIL }
    },
  })
  return { ...upstream, state }
}

const startWorld = (t: ExecutionContext) => {
  const errors: Record<string, unknown>[] = []
  const logger = Object.assign(Object.create(silentLogger), {
    error: (fields: Record<string, unknown>) => void errors.push(fields),
  })
  const world = testWorld({ logger })
  let configuration: Configuration | undefined
  /** What upstreams that lead back ask. */
  const current = () => configuration!
  const start = async (text: string) => {
    configuration = configure(text, world)
    await configuration.start(new AbortController().signal)
    t.teardown(() => current().close())
    return configuration
  }
  const metric = async (to: string) =>
    /seamark_loop_upstream_disabled\{to="[^"]+"\} \d/.exec(
      (await world.registry.metrics())
        .split('\n')
        .filter(line => line.includes(to))
        .join('\n'),
    )?.[0]
  return { world, errors, start, current, metric }
}

const settle = async (done: () => boolean | Promise<boolean>) => {
  while (!(await done())) await new Promise(resolve => setImmediate(resolve))
}

test('an upstream that leads back is left out, told of, and taken back when it is mended; the others serve', async t => {
  const { world, errors, start, current, metric } = startWorld(t)
  const loop = await startLoop(t, current)
  const good = await startUpstream(t, {
    respond: ({ question }) => ({ answers: [aRecord(question.name, 60, '192.0.2.7')] }),
  })
  const configuration = await start(`. {\n loop\n forward . ${loop.target} ${good.target} {\n policy sequential\n }\n}`)
  await settle(() => errors.length > 0)
  t.is(errors.length, 1)
  t.like(errors[0], { upstream: loop.target, from: '127.0.0.1' })
  t.regex(String(errors[0]!.change), /127\.0\.0\.53/)
  t.is(await metric(loop.target), `seamark_loop_upstream_disabled{to="${loop.target}"} 1`)
  const questions = () => loop.queries.filter(({ question }) => question.type === recordTypes.A).length
  t.is((await ask(configuration, 'www.example.org.'))?.rcode, rcodes.NOERROR)
  t.is(questions(), 0)
  loop.state.leadsBack = false
  const probes = loop.queries.length
  await world.clock.advance(62_000)
  await settle(() => loop.queries.length > probes)
  await settle(async () => (await metric(loop.target))?.endsWith(' 0') === true)
  t.is((await ask(configuration, 'www2.example.org.'))?.rcode, rcodes.NOERROR)
  t.is(questions(), 1)
})

test('when all upstreams lead back, names of our own are answered, and the others fail and say why', async t => {
  const { errors, start, current } = startWorld(t)
  const loop = await startLoop(t, current)
  const configuration = await start(
    `. {\n hosts {\n 192.0.2.9 own.example\n fallthrough\n }\n loop\n forward . ${loop.target}\n}`,
  )
  await settle(() => errors.length > 0)
  t.is((await ask(configuration, 'own.example.'))?.rcode, rcodes.NOERROR)
  const reply = await ask(configuration, 'www.example.org.', { edns })
  t.is(reply?.rcode, rcodes.SERVFAIL)
  t.deepEqual(reply?.extendedErrors, [{ code: 22, text: `loop: ${loop.target} leads back to this server` }])
})

test('upstreams that lead elsewhere are asked once, and again much later', async t => {
  const { world, errors, start } = startWorld(t)
  const upstream = await startUpstream(t, { respond: () => ({ rcode: rcodes.NXDOMAIN }) })
  await start(`example.org {\n loop\n forward example.org ${upstream.target}\n}`)
  await settle(() => upstream.queries.length > 0)
  for (let second = 0; second < 250; second++) await world.clock.advance(1000)
  t.is(upstream.queries.length, 1)
  const [{ question }] = upstream.queries as [(typeof upstream.queries)[number]]
  t.is(question.type, recordTypes.HINFO)
  t.regex(question.canonicalName, /^\d+\.\d+\.example\.org\.$/)
  while (upstream.queries.length < 2 && world.clock.monotonic() < 1_000_000) await world.clock.advance(1000)
  t.is(upstream.queries.length, 2)
  t.deepEqual(errors, [])
})

test('an upstream that is not there yet is asked until it answers', async t => {
  const { world, errors, start, current } = startWorld(t)
  let up = false
  const loop = await startUpstream(t, {
    respond: async ({ question }) => {
      if (!up) return { rcode: rcodes.SERVFAIL }
      await ask(current(), question.name, { type: question.type, client: '127.0.0.1' })
      return {}
    },
  })
  await start(`. {\n loop\n forward . ${loop.target}\n}`)
  await settle(() => loop.queries.length > 0)
  up = true
  const end = performance.now() + 60_000
  while (errors.length === 0 && performance.now() < end) await world.clock.advance(1000)
  t.is(errors.length, 1)
})
