import test from 'ava'
import { systemRandom } from '#lib/random.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { isCookieLength, newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import { clientBytes } from '#resolver/zone/address.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { sipHash } from '../../support/sip-hash.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const hex = (text: string) => Buffer.from(text, 'hex')

/** RFC 9018 Appendix A: client cookie, address, secret → the whole option. */
const vectors: Record<string, readonly [client: string, address: string, secret: string, option: string]> = {
  'A.1': [
    '2464c4abcf10c957',
    '198.51.100.100',
    'e5e973e5a6b2a43f48e7dc849e37bfcf',
    '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
  ],
  'A.2': [
    '2464c4abcf10c957',
    '198.51.100.100',
    'e5e973e5a6b2a43f48e7dc849e37bfcf',
    '2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
  ],
  'A.3, reserved bytes that are not zero': [
    'fc93fc62807ddb86',
    '203.0.113.203',
    'e5e973e5a6b2a43f48e7dc849e37bfcf',
    'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
  ],
  'A.4, IPv6': [
    '22681ab97d52c298',
    '2001:db8:220:1:59de:d0f4:8769:82b8',
    '445536bcd2513298075a5d379663c962',
    '22681ab97d52c298010000005cf7c609a6bb79d16625507a',
  ],
}

for (const [name, [client, address, secret, option]] of Object.entries(vectors)) {
  test(`RFC 9018 ${name}`, t => {
    const asked = hex(option).subarray(0, 16)
    t.is(asked.subarray(0, 8).toString('hex'), client)
    const hash = sipHash(hex(secret), Buffer.concat([asked, clientBytes(address)]))
    t.is(hash.toString('hex'), option.slice(32))
  })
}

const jar = () => {
  const clock = new VirtualClock()
  const secret = newCookieSecret(systemRandom)
  const cookies = new ServerCookies({ clock, secret })
  // Another thread has a clock and a secret of its own.
  const elsewhere = new ServerCookies({ clock, secret: Buffer.from(secret) })
  const reply = (cookie: Buffer, address = '192.0.2.7') => {
    const { data } = cookies.reply(cookie, clientBytes(address))
    return elsewhere.reply(cookie, clientBytes(address)).data.equals(data) ? data : Buffer.alloc(0)
  }
  return { clock, reply, first: reply(hex('0011223344556677')) }
}

test('a client’s cookie comes back with one of ours, and that one as it is for half an hour', async t => {
  const { clock, reply, first } = jar()
  t.is(first.length, 24)
  t.deepEqual(first.subarray(0, 8), hex('0011223344556677'))
  await clock.advance(1800_000)
  t.deepEqual(reply(first), first)
  await clock.advance(1000)
  const second = reply(first)
  t.notDeepEqual(second, first)
  t.deepEqual(reply(second), second)
})

test('a cookie is of one client, one address and one secret', async t => {
  const { clock, reply, first } = jar()
  t.notDeepEqual(reply(first, '192.0.2.8').subarray(16), first.subarray(16))
  t.notDeepEqual(reply(hex('0011223344556678')).subarray(16), first.subarray(16))
  t.deepEqual(reply(first.subarray(0, 8)), first)
  const forged = Buffer.from(first)
  forged[23]! ^= 1
  t.deepEqual(reply(forged), first)
  await clock.advance(24 * 3_600_000 - 60_000)
  const before = reply(first)
  await clock.advance(60_000)
  t.notDeepEqual(reply(before), before, 'the secret has changed, though the cookie is young')
})

test('a cookie from the future, or of another version, is made anew', t => {
  const { reply, first } = jar()
  const future = Buffer.from(first)
  future.writeUInt32BE(first.readUInt32BE(12) + 301, 12)
  t.deepEqual(reply(future), first)
  t.deepEqual(reply(Buffer.concat([first.subarray(0, 8), Buffer.alloc(16, 2)])), first)
})

test('lengths (RFC 7873 §4)', t => {
  const good = Array.from({ length: 60 }, (_, length) => length).filter(isCookieLength)
  t.deepEqual(good, [8, ...Array.from({ length: 25 }, (_, index) => 16 + index)])
})

test('in a reply: one of ours, first one only; FORMERR for a length that no cookie has; none unasked', async t => {
  const configuration = configure('. {\n whoami\n}', testWorld())
  const askWith = (...cookies: string[]) => {
    const options = cookies.map(cookie => ({ code: 10, data: hex(cookie) }))
    return ask(configuration, 'a.', { edns: { udpSize: 1232, dnssecOk: false, options } })
  }
  const reply = await askWith('0011223344556677', 'ff11223344556677')
  t.is(reply?.edns?.options.length, 1)
  t.regex(reply!.edns!.options[0]!.data.toString('hex'), /^001122334455667701000000[0-9a-f]{24}$/)
  const malformed = await askWith('00112233445566')
  t.is(malformed?.rcode, rcodes.FORMERR)
  t.deepEqual((await askWith())?.edns?.options, [])
})

test('failures and refusals have cookies too', async t => {
  const edns = { udpSize: 1232, dnssecOk: false, options: [{ code: 10, data: hex('0011223344556677') }] }
  const configuration = configure('example.org {\n errors\n}', testWorld())
  for (const [name, rcode] of [
    ['a.example.org.', rcodes.SERVFAIL],
    ['elsewhere.', rcodes.REFUSED],
  ] as const) {
    const reply = await ask(configuration, name, { edns })
    t.is(reply?.rcode, rcode)
    t.is(reply?.edns?.options.find(({ code }) => code === 10)?.data.length, 24)
  }
})
