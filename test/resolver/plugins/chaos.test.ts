import test from 'ava'
import type { Plugin } from '#resolver/plugin.ts'
import { chaosPlugin } from '#resolver/plugins/chaos.ts'
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

test('the counters of all caches, by dnsmasq’s names', async t => {
  const counters = { cachesize: 10, insertions: 5, evictions: 1, misses: 7, hits: 100 }
  const caches: Plugin[] = [1, 2].map(() => ({ name: 'cache', cacheCounters: () => counters }))
  const directive = { name: { text: 'chaos', position: { file: '', line: 1 } }, arguments: [], properties: [] }
  const set = chaosPlugin.setup(
    directive,
    { zones: ['.'], servers: [], view: '', directives: [directive], plugins: () => [] },
    {
      ...testWorld(),
      folder: '/',
      resolveInternally: () => ({ verdict: 'unhandled' }),
      plugins: () => caches,
      readCorefile: async () => '',
      requestReload: () => {},
    },
  )
  if (!set.ok) return t.fail()
  for (const [name, count] of Object.entries({ cachesize: 20, insertions: 10, evictions: 2, misses: 14, hits: 200 })) {
    const query = makeQuery(`${name}.bind.`, { class: CH, type: TXT })
    const verdict = await set.value.handle!(query, () => ({ verdict: 'unhandled' }))
    if (verdict.verdict !== 'answered') return t.fail()
    t.is(String(txtData.decode(verdict.answer.answers[0]!.data)[0]), String(count), name)
  }
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
