import test from 'ava'
import fc from 'fast-check'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { isSubdomain } from '#resolver/wire/name.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import { OwnZones } from '#server/own-zones.ts'

const ownZones = (zones: Readonly<Record<string, boolean>>): OwnZones =>
  new OwnZones(Object.entries(zones).map(([zone, isOwn]) => [nameData.encode(zone).toString('latin1'), isOwn]))

const packetOf = (name: string): Buffer =>
  encodeQuery({ id: 1, name, type: recordTypes.A, recursionDesired: true, edns: undefined })

const zones = ownZones({ '.': false, 'cluster.local.': true, 'consul.cluster.local.': false })

for (const [name, isOwn] of [
  ['web.shop.svc.cluster.local.', true],
  ['WEB.shop.SVC.Cluster.LOCAL.', true],
  ['cluster.local.', true],
  ['a.consul.cluster.local.', false],
  ['xcluster.local.', false],
  ['local.', false],
  ['www.example.com.', false],
  ['.', false],
] as const)
  test(`${name} is ${isOwn ? 'an own name' : 'perhaps another server’s'}`, t => t.is(zones.has(packetOf(name)), isOwn))

test('without zones nothing is an own name; with the root everything is', t => {
  t.false(new OwnZones([]).has(packetOf('a.')))
  t.true(ownZones({ '.': true }).has(packetOf('a.')))
  t.true(ownZones({ '.': true }).has(packetOf('.')))
})

test('the longest name, and one with most labels', t => {
  const own = ownZones({ 'a.': true })
  t.true(own.has(packetOf(`${`${'x'.repeat(63)}.`.repeat(3)}${'x'.repeat(59)}.a.`)))
  t.true(own.has(packetOf('a.'.repeat(127))))
})

test('law: the longest zone says, wherever in its buffer the packet stands', t => {
  const label = fc.constantFrom('a', 'b', 'C', 'x1')
  const name = fc.array(label, { maxLength: 5 }).map(labels => labels.map(each => `${each}.`).join('') || '.')
  const property = fc.property(
    fc.dictionary(
      name.map(each => each.toLowerCase()),
      fc.boolean(),
    ),
    name,
    fc.nat(50),
    (zones, asked, before) => {
      const longest = Object.keys(zones)
        .filter(zone => isSubdomain(asked.toLowerCase(), zone))
        .sort((left, right) => right.length - left.length)[0]
      const packet = packetOf(asked)
      const input = Buffer.concat([Buffer.alloc(before, 0xff), packet, Buffer.from([0, 1, 2])])
      const found = ownZones(zones).has(input, before, packet.length)
      return found === (longest === undefined ? false : zones[longest])
    },
  )
  fc.assert(property)
  t.pass()
})

test('law: nothing that comes is too much', t => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), bytes => typeof zones.has(Buffer.from(bytes)) === 'boolean'))
  for (let end = 0; end < 40; end++) t.false(zones.has(packetOf('web.shop.svc.cluster.local.').subarray(0, end)))
})
