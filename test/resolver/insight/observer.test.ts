import test from 'ava'
import { createRegistry } from '#lib/metrics.ts'
import { Observer } from '#resolver/insight/observer.ts'
import { Ring } from '#resolver/insight/ring.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'

const COREFILE = `. {
  hosts /nowhere {
    192.0.2.1 www.example.org
  }
}
bad.example:53 {
  forward . 127.0.0.1:9 {
    max_concurrent 1
  }
  acl {
    block
  }
}`

test('who asked what, what was asked in vain, what failed and why', async t => {
  const base = testWorld()
  const observer = new Observer(base.clock, createRegistry())
  const world = testWorld({ observer })
  const configuration = configure(COREFILE, world)
  await ask(configuration, 'WWW.example.org.')
  await ask(configuration, 'www.example.org.', { type: 28, client: '192.0.2.8' })
  await ask(configuration, 'no.example.org.', { client: '192.0.2.8' })
  await ask(configuration, 'x.bad.example.', { client: '192.0.2.9' })
  await ask(configuration, 'www.example.org.', { server: 'dns://:54', client: '192.0.2.9' })
  t.deepEqual(
    observer.clients.top().map(({ key, count, wasted, failed }) => [key, count, wasted, failed]),
    [
      ['192.0.2.8', 2, 2, 0],
      ['192.0.2.9', 2, 0, 2],
      ['192.0.2.7', 1, 0, 0],
    ],
  )
  t.deepEqual(
    observer.names
      .top()
      .map(({ key }) => key)
      .toSorted(),
    [
      '0 1 www.example.org.',
      '0 28 www.example.org.',
      '3 1 no.example.org.',
      '5 1 www.example.org.',
      '5 1 x.bad.example.',
    ],
  )
  t.deepEqual([...observer.rcodes].toSorted(), [
    [0, 2],
    [3, 1],
    [5, 2],
  ])
  t.deepEqual(
    [...observer.failures].map(({ name, client, rcode, by, causes }) => [name, client, rcode, by, causes[0]?.code]),
    [
      ['www.example.org.', '192.0.2.9', 5, '', 20],
      ['x.bad.example.', '192.0.2.9', 5, 'acl', 15],
    ],
  )
})

test('a ring keeps the last, the latest first', t => {
  const ring = new Ring<number>(3)
  t.deepEqual([...ring], [])
  ring.add(1)
  ring.add(2)
  t.deepEqual([...ring], [2, 1])
  for (const number of [3, 4, 5]) ring.add(number)
  t.deepEqual([...ring], [5, 4, 3])
})

test('what found nothing is counted by its reason', async t => {
  const base = testWorld()
  const registry = createRegistry()
  const observer = new Observer(base.clock, registry)
  const configuration = configure(COREFILE, testWorld({ observer }))
  await ask(configuration, 'no.example.org.')
  await ask(configuration, 'www.example.org.', { type: 28 })
  const text = await registry.metrics()
  t.regex(text, /seamark_dns_wasted_requests_total\{reason="search"\} 1/)
  t.regex(text, /seamark_dns_wasted_requests_total\{reason="nodata"\} 1/)
})
