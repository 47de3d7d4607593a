import test from 'ava'
import { FailingZones } from '#resolver/upstream/failing-zones.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

test('a failure counts for the zone around the name, for a second; then for longer each time', async t => {
  const clock = new VirtualClock()
  const zones = new FailingZones(clock)
  zones.failed('www.shop.example.')
  t.true(zones.has('api.shop.example.'))
  t.true(zones.has('shop.example.'))
  t.false(zones.has('www.other.example.'))
  t.false(zones.has('example.'))
  // Questions that were sent together fail together.
  zones.failed('api.shop.example.')
  await clock.advance(1000)
  t.false(zones.has('www.shop.example.'))
  const lasting: number[] = []
  for (let round = 0; round < 12; round++) {
    zones.failed('www.shop.example.')
    let seconds = 0
    while (zones.has('www.shop.example.')) {
      await clock.advance(1000)
      seconds++
    }
    lasting.push(seconds)
  }
  t.deepEqual(lasting, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300])
})

test('an answer ends it', t => {
  const zones = new FailingZones(new VirtualClock())
  zones.failed('www.shop.example.')
  zones.answered('api.shop.example.')
  t.false(zones.has('www.shop.example.'))
})

test('top-level names are zones of their own', t => {
  const zones = new FailingZones(new VirtualClock())
  zones.failed('com.')
  zones.failed('.')
  t.true(zones.has('com.'))
  t.true(zones.has('.'))
  t.false(zones.has('org.'))
})
