import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { hinfoData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf } from '../../support/dns-environment.ts'

test('ANY gets one HINFO (RFC 8482 §4.2), other types what they would', async t => {
  const configuration = configure('. {\n any\n whoami\n}')
  const reply = await ask(configuration, 'WWW.example.org.', { type: recordTypes.ANY })
  t.is(reply?.rcode, rcodes.NOERROR)
  t.true(reply?.authoritative)
  t.deepEqual(
    reply?.answers.map(({ name, ttl, data }) => ({ name, ttl, ...hinfoData.decode(data) })),
    [{ name: 'WWW.example.org.', ttl: 8482, cpu: 'ANY obsoleted', os: 'See RFC 8482' }],
  )
  t.is((await ask(configuration, 'www.example.org.'))?.additional.length, 2)
})

test('takes no words', t => {
  t.deepEqual(problemsOf('. {\n any thing\n}'), ['Corefile:2: any: "thing" is one word too many'])
})
