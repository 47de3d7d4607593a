import test from 'ava'
import { systemRandom } from '#lib/random.ts'
import { opcodes, rcodes } from '#resolver/wire/codes.ts'
import { newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import { cookieReply, readCookieRequest } from '#resolver/wire/cookie-request.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const CLIENT = Buffer.from('ABCDEFGH')
const address = Buffer.from([127, 0, 0, 1])
const newCookies = (clock = new VirtualClock()) => new ServerCookies({ clock, secret: newCookieSecret(systemRandom) })

const optOf = (cookie: Buffer | undefined, version = 0): Buffer => {
  const option = cookie ? Buffer.concat([Buffer.from([0, 10, 0, cookie.length]), cookie]) : Buffer.alloc(0)
  return Buffer.concat([Buffer.from([0, 0, 41, 4, 208, 0, version, 0x80, 0, 0, option.length]), option])
}

/** A header with these counts of sections, and an OPT. */
const packetOf = (opt: Buffer, counts: readonly number[] = [0, 0, 0, 1], bits = 0x0110): Buffer => {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(0xbeef, 0)
  header.writeUInt16BE(bits, 2)
  for (const [index, count] of counts.entries()) header.writeUInt16BE(count, 4 + 2 * index)
  return Buffer.concat([header, opt])
}

const ask = (cookies: ServerCookies, cookie: Buffer) => {
  const packet = packetOf(optOf(cookie))
  const request = readCookieRequest(packet)
  if (!request) throw new Error('no request')
  const given = cookieReply(packet, request, cookies, address)
  const reply = decodeResponse(given.reply)
  if (!reply.ok) throw new Error(reply.problem)
  if (reply.value.rcode !== given.rcode) throw new Error('another rcode than is told of')
  return reply.value
}

test('RFC 7873 §5.4: a client cookie alone gets both, NOERROR and nothing else', t => {
  const { id, rcode, question, answers, edns } = ask(newCookies(), CLIENT)
  t.deepEqual([id, rcode, question, answers, edns?.dnssecOk], [0xbeef, rcodes.NOERROR, undefined, [], true])
  t.deepEqual(
    edns?.options.map(({ code, data }) => [code, data.length, data.subarray(0, 8)]),
    [[10, 24, CLIENT]],
  )
})

test('RFC 7873 §5.4: the server’s own cookie is confirmed, another one is BADCOOKIE and gets the right one', t => {
  const cookies = newCookies()
  const own = ask(cookies, CLIENT).edns!.options[0]!.data
  t.is(ask(cookies, own).rcode, rcodes.NOERROR)
  for (const wrong of [Buffer.concat([CLIENT, Buffer.alloc(8)]), Buffer.concat([CLIENT, Buffer.alloc(16, 1)])]) {
    const { rcode, edns } = ask(cookies, wrong)
    t.is(rcode, rcodes.BADCOOKIE)
    t.deepEqual(edns?.options[0]?.data, own)
  }
})

const MINUTE = 60_000

test('RFC 9018 §4.3: a cookie is good for an hour, and renewed after half of it', async t => {
  const clock = new VirtualClock()
  const cookies = newCookies(clock)
  const own = ask(cookies, CLIENT).edns!.options[0]!.data
  const answer = () => {
    const { rcode, edns } = ask(cookies, own)
    return [rcode, edns!.options[0]!.data.equals(own)]
  }
  await clock.advance(30 * MINUTE)
  t.deepEqual(answer(), [rcodes.NOERROR, true])
  await clock.advance(1000)
  t.deepEqual(answer(), [rcodes.NOERROR, false])
  await clock.advance(30 * MINUTE - 1000)
  t.deepEqual(answer(), [rcodes.NOERROR, false])
  await clock.advance(1000)
  t.deepEqual(answer(), [rcodes.BADCOOKIE, false])
})

test('RFC 9018 §4.3: a server whose clock is five minutes behind takes the cookie too', async t => {
  const ahead = new VirtualClock()
  const behind = new VirtualClock()
  const secret = newCookieSecret(systemRandom)
  // The others' monotonic scale, which the secret follows from.
  const elsewhere = new ServerCookies({
    clock: { now: () => behind.now(), monotonic: () => ahead.monotonic() },
    secret,
  })
  await ahead.advance(5 * MINUTE)
  const own = new ServerCookies({ clock: ahead, secret }).reply(CLIENT, address).data
  t.is(ask(elsewhere, own).rcode, rcodes.NOERROR)
  await ahead.advance(1000)
  const later = new ServerCookies({ clock: ahead, secret }).reply(CLIENT, address).data
  t.is(ask(elsewhere, later).rcode, rcodes.BADCOOKIE)
})

test('RFC 9018 §5: a cookie of the secret before is good while it is young, one of another address never', async t => {
  const clock = new VirtualClock()
  const cookies = newCookies(clock)
  await clock.advance(24 * 60 * MINUTE - MINUTE)
  const own = ask(cookies, CLIENT).edns!.options[0]!.data
  await clock.advance(2 * MINUTE)
  const { rcode, edns } = ask(cookies, own)
  t.is(rcode, rcodes.NOERROR)
  t.false(edns!.options[0]!.data.equals(own), 'it is renewed by the secret of now')
  t.false(cookies.accepts(own, Buffer.from([127, 0, 0, 2])))
  t.false(cookies.accepts(CLIENT, address))
})

test('nothing else without a question is such a request', t => {
  const opt = optOf(CLIENT)
  for (const packet of [
    packetOf(optOf(undefined)),
    packetOf(optOf(Buffer.from('short'))),
    packetOf(optOf(CLIENT, 1)),
    packetOf(opt, [1, 0, 0, 1]),
    packetOf(opt, [0, 1, 0, 1]),
    packetOf(opt, [0, 0, 0, 3]),
    packetOf(opt, [0, 0, 0, 2]),
    packetOf(Buffer.concat([opt, opt]), [0, 0, 0, 2]),
    packetOf(opt.subarray(0, -1)),
    packetOf(opt, [0, 0, 0, 1], 0x8000),
    packetOf(opt, [0, 0, 0, 1], opcodes.UPDATE << 11),
    packetOf(Buffer.alloc(0), [0, 0, 0, 0]),
    Buffer.alloc(3),
  ])
    t.is(readCookieRequest(packet), undefined, packet.toString('hex'))
})
