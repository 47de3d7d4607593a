import test from 'ava'
import { rcodes } from '#resolver/wire/codes.ts'
import { ask, configure, problemsOf } from '../../support/dns-environment.ts'

const asked = { udpSize: 1232, dnssecOk: false, options: [{ code: 3, data: Buffer.alloc(0) }] }

test('says its words, or the machine’s name, to those who ask', async t => {
  const idOf = async (line: string) => {
    const reply = await ask(configure(`. {\n ${line}\n whoami\n}`), 'a.', { edns: asked })
    return reply?.edns?.options.map(({ code, data }) => `${code} ${data}`)
  }
  t.deepEqual(await idOf('nsid'), ['3 machine-1'])
  t.deepEqual(await idOf('nsid hull 1'), ['3 hull 1'])
})

test('unasked, or without EDNS, says nothing; DO is not touched', async t => {
  const configuration = configure('. {\n nsid hull\n whoami\n}')
  const unasked = await ask(configuration, 'a.', { edns: { ...asked, options: [] } })
  t.deepEqual(unasked?.edns?.options, [])
  t.is((await ask(configuration, 'a.'))?.edns, undefined)
  t.false((await ask(configuration, 'a.', { edns: asked }))?.edns?.dnssecOk)
})

test('a failure has it too', async t => {
  const reply = await ask(configure('. {\n nsid hull\n}'), 'a.', { edns: asked })
  t.is(reply?.rcode, rcodes.SERVFAIL)
  t.true(reply?.edns?.options.some(({ code, data }) => code === 3 && String(data) === 'hull'))
})

test('refuses what is too long, and braces', t => {
  t.deepEqual(problemsOf(`. {\n nsid ${'x'.repeat(256)}\n}`), ['Corefile:2: nsid: an identifier has at most 255 bytes'])
  t.regex(problemsOf('. {\n nsid a {\n  b\n }\n}')[0] ?? '', /takes no properties/)
})
