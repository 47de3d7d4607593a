import test from 'ava'
import type { Plugin } from '#resolver/plugin.ts'
import { chaosPlugin } from '#resolver/plugins/chaos.ts'
import { unhandled } from '#resolver/verdict.ts'
import { classes, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { txtData } from '#resolver/wire/rdata.ts'
import { ask, configure, makeQuery, problemsOf, testWorld } from '../../support/dns-environment.ts'

const { CH, HS, IN } = classes
const { TXT, A } = recordTypes

const textsOf = async (line: string, name: string) => {
  const reply = await ask(configure(`. {\n ${line}\n whoami\n}`), name, { class: CH, type: TXT })
  assertThat(reply?.authoritative === false && reply.answers.every(record => record.class === CH && record.ttl === 0))
  return reply?.answers.map(({ data }) => txtData.decode(data).join('|'))
}
const assertThat = (condition: boolean): void => {
  if (!condition) throw new Error('not class CH, TTL 0, without AA')
}

test('who answers: the version, the authors, the machine', async t => {
  const line = 'chaos "Seamark 7" "Ada L." "Grace H."'
  t.deepEqual(await textsOf(line, 'version.bind.'), ['Seamark 7'])
  t.deepEqual(await textsOf(line, 'VERSION.server.'), ['Seamark 7'])
  t.deepEqual(await textsOf(line, 'authors.bind.'), ['Ada L.', 'Grace H.'])
  t.deepEqual(await textsOf(line, 'hostname.bind.'), ['machine-1'])
  t.deepEqual(await textsOf(line, 'id.server.'), ['machine-1'])
  t.deepEqual(await textsOf('chaos', 'version.bind.'), ['Seamark-0.0.0-test'])
  t.deepEqual(await textsOf('chaos', 'authors.bind.'), ['the Seamark authors'])
})

/** The plugin beside others that the test made up. */
const setUp = (others: readonly Plugin[]): Plugin => {
  const directive = { name: { text: 'chaos', position: { file: '', line: 1 } }, arguments: [], properties: [] }
  const set = chaosPlugin.setup(
    directive,
    { zones: ['.'], servers: [], view: '', directives: [directive], plugins: () => [] },
    {
      ...testWorld(),
      folder: '/',
      resolveInternally: () => unhandled,
      plugins: () => others,
      readCorefile: async () => '',
      requestReload: () => {},
    },
  )
  if (!set.ok) throw new Error(set.problem.message)
  return set.value
}

test('the counters of all caches, by dnsmasq’s names', async t => {
  const counters = { cachesize: 10, insertions: 5, evictions: 1, misses: 7, hits: 100 }
  const caches: Plugin[] = [1, 2].map(() => ({ name: 'cache', cacheCounters: () => counters }))
  const chaos = setUp(caches)
  for (const [name, count] of Object.entries({ cachesize: 20, insertions: 10, evictions: 2, misses: 14, hits: 200 })) {
    const query = makeQuery(`${name}.bind.`, { class: CH, type: TXT })
    const verdict = await chaos.handle!(query, () => unhandled)
    if (verdict.verdict !== 'answered') return t.fail()
    t.is(String(txtData.decode(verdict.answer.answers[0]!.data)[0]), String(count), name)
  }
})

test('dnsmasq’s other names: the copyright, and how many answers came from data of the server’s own', async t => {
  const configuration = configure('. {\n chaos\n hosts /nowhere {\n  192.0.2.1 a.example\n }\n}')
  const textOf = async (name: string) => {
    const reply = await ask(configuration, name, { class: CH, type: TXT })
    return reply?.answers.map(({ data }) => txtData.decode(data).join('|'))
  }
  t.deepEqual(await textOf('copyright.bind.'), ['Copyright the Seamark authors; Apache License 2.0'])
  t.deepEqual(await textOf('auth.bind.'), ['0'])
  for (const name of ['a.example.', 'a.example.', 'b.example.']) await ask(configuration, name, { type: A })
  t.deepEqual(await textOf('AUTH.bind.'), ['3'])
})

test('what other plugins have to tell, in one record', async t => {
  const told: Plugin[] = ['192.0.2.1#53 4 1', '192.0.2.2#53 2 0'].map(text => ({
    name: 'forward',
    chaosText: name => (name === 'servers.bind.' ? [text] : undefined),
  }))
  const answer = async (name: string) => {
    const verdict = await setUp(told).handle!(makeQuery(name, { class: CH, type: TXT }), () => unhandled)
    return verdict.verdict === 'answered'
      ? verdict.answer.answers.map(({ data }) => txtData.decode(data).map(String))
      : []
  }
  t.deepEqual(await answer('Servers.bind.'), [['192.0.2.1#53 4 1', '192.0.2.2#53 2 0']])
  t.deepEqual(await answer('sync.age.'), [])
})

test('other names, types and classes are refused; class IN is others’ business', async t => {
  const configuration = configure('. {\n chaos\n whoami\n}')
  const rcodeOf = async (name: string, type: number, questionClass: number) =>
    (await ask(configuration, name, { class: questionClass, type }))?.rcode
  t.is(await rcodeOf('other.bind.', TXT, CH), rcodes.REFUSED)
  t.is(await rcodeOf('version.bind.', A, CH), rcodes.REFUSED)
  t.is(await rcodeOf('version.bind.', TXT, HS), rcodes.REFUSED)
  t.is(await rcodeOf('version.bind.', TXT, classes.ANY), rcodes.REFUSED)
  const reply = await ask(configuration, 'version.bind.', { class: IN, type: TXT })
  t.is(reply?.rcode, rcodes.NOERROR)
  t.deepEqual(reply?.answers, [])
})

test('refuses a text that no record can hold', t => {
  t.deepEqual(problemsOf(`. {\n chaos v ${'é'.repeat(128)}\n}`), ['Corefile:2: chaos: a text has at most 255 bytes'])
})
