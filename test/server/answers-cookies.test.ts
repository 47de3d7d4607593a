/** DNS cookies (RFC 7873) in replies of the memo: each client's own, as the readable path would make it at that moment. */
import test from 'ava'
import { ednsOptionCodes, recordTypes } from '#resolver/wire/codes.ts'
import type { EdnsOption } from '#resolver/wire/edns.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { namespace, service } from '../support/manifests.ts'
import { Memoised, packetOf } from '../support/memoised.ts'
import { StaticCluster } from '../support/static-cluster.ts'

const HOUR = 3_600_000
const CLIENTS = ['192.0.2.7', '198.51.100.1', '2001:db8::7', 'fe80::1%lo']
const NAMES = ['web.shop.svc.cluster.local.', 'nothing.shop.svc.cluster.local.', 'other.shop.svc.cluster.local.']

const cookieOption = (data: Buffer): EdnsOption => ({ code: ednsOptionCodes.COOKIE, data })
const clientCookie = Buffer.from('0011223344556677', 'hex')
const nsid: EdnsOption = { code: ednsOptionCodes.NSID, data: Buffer.alloc(0) }

const start = async (lines = ''): Promise<Memoised> => {
  const cluster = new StaticCluster([namespace('shop'), service('shop', 'web', '192.0.2.77')])
  const memoised = new Memoised(`. {\n ${lines}\n kubernetes cluster.local\n}`, cluster)
  await memoised.start()
  return memoised
}

const packetWith = (name: string, options: readonly EdnsOption[], upper = 0): Buffer =>
  packetOf(name, recordTypes.A, {
    ...{ id: 7, recursionDesired: true, upper },
    edns: { udpSize: 1232, dnssecOk: false, options },
  })

const cookieOf = (reply: Buffer): Buffer => {
  const read = decodeResponse(reply)
  const cookies = read.ok ? (read.value.edns?.options.filter(({ code }) => code === ednsOptionCodes.COOKIE) ?? []) : []
  return cookies.length === 1 ? cookies[0]!.data : Buffer.alloc(0)
}

/** What clients send in a round: their own cookie and their neighbour's, in several forms. */
const roundOf = (held: readonly Buffer[], round: number) =>
  CLIENTS.flatMap((client, index) =>
    NAMES.flatMap(name =>
      [index, (index + 1) % CLIENTS.length].map(owner => {
        const options = [cookieOption(held[owner]!), ...(round % 3 === 0 ? [nsid] : [])]
        const packet = packetWith(name, round % 2 === 0 ? options : options.toReversed(), round % 5 === 4 ? 2 : 0)
        return { client, index, packet }
      }),
    ),
  )

test('clients that got a cookie have it back, strangers’ and old ones are renewed: as by the readable path', async t => {
  const memoised = await start('nsid here')
  t.teardown(() => memoised.configuration.close())
  const held: Buffer[] = CLIENTS.map(() => clientCookie)
  let asked = 0
  for (let round = 0; round < 60; round++) {
    for (const { client, index, packet } of roundOf(held, round)) {
      const hit = memoised.find(packet, client)
      const reply = memoised.respond(packet, client)
      asked++
      t.deepEqual(hit ?? reply, reply)
      t.is(cookieOf(reply).length, 24)
      held[index] = cookieOf(reply)
    }
    await memoised.world.clock.advance(round === 40 ? 24 * HOUR : 400_000)
  }
  t.true(memoised.hits > 0.9 * asked, `${memoised.hits} hits of ${asked}`)
  t.is(new Set(held.map(cookie => cookie.toString('hex'))).size, CLIENTS.length)
})

test('a name that nobody has asked for has the cookie of who asks', async t => {
  const memoised = await start()
  t.teardown(() => memoised.configuration.close())
  memoised.respond(packetWith('first.shop.svc.cluster.local.', [cookieOption(clientCookie)]))
  for (const client of CLIENTS) {
    const packet = packetWith(`never-${client.length}.shop.svc.cluster.local.`, [cookieOption(Buffer.alloc(8, 9))], 3)
    const hit = memoised.find(packet, client)
    t.truthy(hit)
    t.deepEqual(hit, memoised.respond(packet, client))
  }
})

test('no hit for a cookie of a length that none has, nor for options that are not whole', async t => {
  const memoised = await start()
  t.teardown(() => memoised.configuration.close())
  const [name] = NAMES as [string]
  const good = packetWith(name, [cookieOption(clientCookie)])
  memoised.respond(good)
  t.truthy(memoised.find(good))
  const ends = [0, 1, 3, 4, 5, 8, 11].map(cut => good.subarray(0, good.length - cut))
  const longer = Buffer.concat([good, Buffer.of(0)])
  const wrong = [7, 9, 15, 41].map(length => packetWith(name, [cookieOption(Buffer.alloc(length))]))
  for (const packet of [...ends.slice(1), longer, ...wrong]) {
    memoised.respond(packet)
    t.is(memoised.find(packet), undefined)
  }
  // A second record: what is in it is not looked at, and the cookie is not found.
  const two = Buffer.concat([good, Buffer.from('0000010001000000000004c0000201', 'hex')])
  two.writeUInt16BE(2, 10)
  t.is(cookieOf(memoised.respond(two)).length, 24)
  t.is(memoised.find(two), undefined)
  // Only the first counts.
  const second = packetWith(name, [cookieOption(clientCookie), cookieOption(Buffer.alloc(8, 3))])
  t.deepEqual(memoised.respond(second), memoised.find(second))
})
