/** What a server answers after a restart, before and after it has heard of its apiserver. */
import { openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { createLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import type { Configuration, World } from '#resolver/configuration.ts'
import { classes, extendedErrorCodes, rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const KNOWN = 'kubernetes.default.svc.cluster.local.'
const UNKNOWN = 'never.default.svc.cluster.local.'

const start = async (
  t: ExecutionContext,
  api: RunningApiserver,
  stateFolder: string,
  more: Partial<World> = {},
): Promise<{ configuration: Configuration; logged: () => string; metrics: () => Promise<string> }> => {
  const log = join(temporaryFolder(t), 'log')
  const registry = createRegistry()
  const logger = createLogger({ level: 'info', format: 'json', descriptor: openSync(log, 'a') })
  const world = { ...testWorld({ registry, logger, stateFolder, ...more }), clock: systemClock }
  const configuration = configure(
    `.:53 {\n chaos\n kubernetes cluster.local {\n kubeconfig ${api.programs.dns}\n pods verified\n }\n}`,
    world,
  )
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  return { configuration, logged: () => readFileSync(log, 'utf8'), metrics: () => registry.metrics() }
}

/** RCODE and addresses or texts, then the codes of extended errors. */
const answerOf = async (configuration: Configuration, name: string, question: object = {}): Promise<string[]> => {
  const edns = { version: 0, udpSize: 1232, dnssecOk: false, options: [] }
  const reply = await ask(configuration, name, { edns, ...question })
  if (!reply) return ['silence']
  const option = reply.edns?.options.filter(({ code }) => code === 15) ?? []
  return [
    rcodeName(reply.rcode),
    ...reply.answers.map(({ data }) => data.join('.')),
    ...option.map(({ data }) => `EDE ${data.readUInt16BE(0)}`),
  ]
}

const ready = async (configuration: Configuration): Promise<void> => {
  const end = performance.now() + 60_000
  while (!configuration.plugins.every(plugin => plugin.ready?.() ?? true)) {
    if (performance.now() > end) throw new Error('not ready within 60 s')
    await new Promise(resolve => setImmediate(resolve))
  }
}

const KNOWN_ANSWER = ['NOERROR', '10.96.0.1']
const STALE = [...KNOWN_ANSWER, `EDE ${extendedErrorCodes.STALE_ANSWER}`]
const NOT_READY = ['SERVFAIL', `EDE ${extendedErrorCodes.NOT_READY}`]

const snapshotIn = (folder: string): string => {
  const [name, ...others] = readdirSync(folder).filter(file => !file.startsWith('kubeconfig-'))
  if (name === undefined || others.length > 0) throw new Error(`not one file: ${[name, ...others]}`)
  return join(folder, name)
}

/** A server that has listed all, and has ended: its snapshot lies in `folder`. */
const liveOnce = async (t: ExecutionContext, api: RunningApiserver, folder: string): Promise<void> => {
  const { configuration } = await start(t, api, folder)
  t.deepEqual(await answerOf(configuration, KNOWN), NOT_READY)
  await ready(configuration)
  t.deepEqual(await answerOf(configuration, KNOWN), KNOWN_ANSWER)
  await configuration.close()
}

const lines = (file: string): string[] => gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
const write = (file: string, changed: readonly string[]): void =>
  writeFileSync(file, gzipSync(changed.map(line => `${line}\n`).join('')))

test('without an apiserver: known names, nothing guessed, and it says how old it is', async t => {
  const folder = temporaryFolder(t)
  const api = await startApiserver(t)
  await liveOnce(t, api, folder)
  await api.close()
  const { configuration, metrics, logged } = await start(t, api, folder)
  t.deepEqual(await answerOf(configuration, KNOWN), STALE)
  t.deepEqual(await answerOf(configuration, UNKNOWN), NOT_READY)
  t.deepEqual(await answerOf(configuration, KNOWN, { type: recordTypes.AAAA }), [
    'NOERROR',
    `EDE ${extendedErrorCodes.OTHER}`,
    `EDE ${extendedErrorCodes.STALE_ANSWER}`,
  ])
  t.false(configuration.plugins.every(plugin => plugin.ready?.() ?? true))
  const chaos = await ask(configuration, 'sync.age.', { class: classes.CH, type: recordTypes.TXT })
  t.regex(chaos?.answers[0]?.data.toString('latin1') ?? '', /^.\d+\.\d$/s)
  t.regex(await metrics(), /^seamark_data_age_seconds \d/m)
  t.regex(logged(), /answering from the snapshot/)
})

test('with a snapshot, the apiserver is asked after those who wait for an answer; without one, at once', async t => {
  const folder = temporaryFolder(t)
  const api = await startApiserver(t)
  const { promise: answering, resolve } = Promise.withResolvers<void>()
  const first = await start(t, api, folder, { answering })
  await ready(first.configuration)
  await first.configuration.close()

  const { configuration, metrics } = await start(t, api, folder, { answering })
  t.deepEqual(await answerOf(configuration, KNOWN), STALE)
  t.deepEqual(await answerOf(configuration, UNKNOWN), NOT_READY)
  t.notRegex(await metrics(), /^coredns_kubernetes_rest_client_requests_total\{/m)
  resolve()
  await ready(configuration)
  t.deepEqual(await answerOf(configuration, KNOWN), KNOWN_ANSWER)
  t.regex(await metrics(), /^coredns_kubernetes_rest_client_requests_total\{/m)
})

test('one that ends before the apiserver was asked does not ask it', async t => {
  const folder = temporaryFolder(t)
  const api = await startApiserver(t)
  await liveOnce(t, api, folder)
  const { promise: answering, resolve } = Promise.withResolvers<void>()
  const { configuration, metrics } = await start(t, api, folder, { answering })
  await configuration.close()
  resolve()
  await new Promise(done => setImmediate(done))
  t.notRegex(await metrics(), /^coredns_kubernetes_rest_client_requests_total\{/m)
})

test('the first list takes its place: what is gone goes, and the snapshot is written anew', async t => {
  const folder = temporaryFolder(t)
  const api = await startApiserver(t)
  await liveOnce(t, api, folder)
  const file = snapshotIn(folder)
  const before = lines(file)
  // As if a service and a pod had been there then: the same objects under other names.
  const [service] = before.filter(line => line.startsWith('["services",["default/kubernetes"'))
  const old = service!
    .replaceAll('"default/kubernetes"', '"default/old"')
    .replace('"name":"kubernetes"', '"name":"old"')
  const pod = JSON.stringify(['pods', ['default', 'gone', ['10.244.0.9', 'fd00::9'], false, []]])
  const { objects } = JSON.parse(before.at(-1)!) as { objects: number }
  write(file, [...before.slice(0, -1), old, pod, JSON.stringify({ objects: objects + 2 })])

  const { configuration } = await start(t, api, folder)
  const names = [KNOWN, 'old.default.svc.cluster.local.', '10-244-0-9.default.pod.cluster.local.']
  const rcodes = async () =>
    (await Promise.all(names.map(name => answerOf(configuration, name)))).map(([rcode]) => rcode)
  t.deepEqual(await rcodes(), ['NOERROR', 'NOERROR', 'NOERROR'])
  t.deepEqual(
    (await answerOf(configuration, 'fd00--9.default.pod.cluster.local.', { type: recordTypes.AAAA }))[0],
    'NOERROR',
  )
  await ready(configuration)
  t.deepEqual(await rcodes(), ['NOERROR', 'NXDOMAIN', 'NXDOMAIN'])
  t.deepEqual(await answerOf(configuration, KNOWN), KNOWN_ANSWER)
  await configuration.close()
  t.deepEqual(lines(file).slice(1).sort(), before.slice(1).sort())
})

/** Behind all others, so that these are there when it is read. */
const addLine = (file: string, line: unknown): void => {
  const before = lines(file)
  const { objects } = JSON.parse(before.at(-1)!) as { objects: number }
  write(file, [...before.slice(0, -1), JSON.stringify(line), JSON.stringify({ objects: objects + 1 })])
}

const HEADER = 0
const MANGLINGS: readonly (readonly [string, RegExp, (file: string) => void])[] = [
  ['half of it', /unexpected end/, file => writeFileSync(file, readFileSync(file).subarray(0, 200))],
  [
    'a byte is another',
    /incorrect|invalid/,
    file => {
      const bytes = readFileSync(file)
      bytes[bytes.length - 6]! ^= 1
      writeFileSync(file, bytes)
    },
  ],
  ['no snapshot', /header/, file => writeFileSync(file, 'hello')],
  [
    'of the future',
    /version 99/,
    file => write(file, lines(file).with(HEADER, lines(file)[HEADER]!.replace('"version":1', '"version":99'))),
  ],
  [
    'of another apiserver',
    /another source/,
    file => write(file, lines(file).with(HEADER, lines(file)[HEADER]!.replace('127.0.0.1', '127.0.0.2'))),
  ],
  ['a line is missing', /count/, file => write(file, lines(file).toSpliced(2, 1))],
  [
    'no time',
    /header is not whole/,
    file => write(file, lines(file).with(HEADER, lines(file)[HEADER]!.replace(/"time":[\d.]+/, '"time":null'))),
  ],
  ['a service that is none', /services: an object is not whole/, file => addLine(file, ['services', null])],
  ['one without its parts', /services: an object is not whole/, file => addLine(file, ['services', ['a/b', {}]])],
  [
    'one with an address that is none',
    /services: an object is not whole/,
    file =>
      write(
        file,
        lines(file).map(line => line.replace('"clusterIPs":["10.96.0.1"]', '"clusterIPs":[7]')),
      ),
  ],
  ['a pod that is none', /pods: an object is not whole/, file => addLine(file, ['pods', ['default', 'a', 'b']])],
  ['the end is missing', /no end/, file => write(file, lines(file).slice(0, -1))],
]

test('a snapshot that is broken, foreign or of the future is nobody’s, and it is said', async t => {
  const folder = temporaryFolder(t)
  const api = await startApiserver(t)
  await liveOnce(t, api, folder)
  await api.close()
  const file = snapshotIn(folder)
  const whole = readFileSync(file)
  for (const [what, problem, mangle] of MANGLINGS) {
    writeFileSync(file, whole)
    mangle(file)
    const { configuration, logged } = await start(t, api, folder)
    t.deepEqual(await answerOf(configuration, KNOWN), NOT_READY, what)
    const warning =
      logged()
        .split('\n')
        .find(line => line.includes('not used')) ?? ''
    t.regex((JSON.parse(warning) as { problem: string }).problem, problem, what)
    await configuration.close()
  }
})

test('another cluster at the same address: nothing of the old one is answered once that is known', async t => {
  const folder = temporaryFolder(t)
  const api = await startApiserver(t)
  await liveOnce(t, api, folder)
  const file = snapshotIn(folder)
  const { cluster } = JSON.parse(lines(file)[HEADER]!) as { cluster: string }
  t.not(cluster, '')
  write(
    file,
    lines(file).map(line => line.replaceAll(cluster, 'another')),
  )
  const { configuration, logged } = await start(t, api, folder)
  t.deepEqual(await answerOf(configuration, KNOWN), STALE)
  await ready(configuration)
  t.deepEqual(await answerOf(configuration, KNOWN), KNOWN_ANSWER)
  t.regex(logged(), /of another cluster/)
})
