import test from 'ava'
import { RestClient } from '#watcher/client.ts'
import { createInformer } from '#watcher/create-informer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventually, settle } from './support/eventually.ts'
import { PROTOCOLS, stream, THINGS, view } from './support/followed.ts'
import {
  type Answer,
  type Asked,
  event,
  initialEventsEnd,
  scriptedServer,
  sendStatus,
  thing,
} from './support/scripted-server.ts'

const OTHERS = { ...THINGS, resource: 'others' }
/** The backoff's steps at their shortest and at their longest. */
const quick = { unit: () => 0, integer: () => 0 }
const slow = { unit: () => 0.999, integer: () => 0 }
const of = (resource: string) => (asked: Asked) => asked.path.endsWith(`/${resource}`)

test('the first answer after an outage wakes the siblings that back off, one by one', async t => {
  for (const protocol of PROTOCOLS) {
    let away = true
    const server = await scriptedServer(t, protocol, (asked, answer) => {
      if (away) return void answer.destroy()
      stream(event('ADDED', thing('a', 4)), initialEventsEnd(5))(asked, answer)
    })
    const clock = new VirtualClock()
    const client = new RestClient({ access: server.access(), clock })
    const first = createInformer(client, view, { clock, random: quick })
    const second = createInformer(client, { ...view, resource: OTHERS }, { clock, random: slow })
    await Promise.all([first.start(), second.start()])
    t.teardown(async () => {
      await Promise.all([first.close(), second.close()])
      await client.close()
    })
    const tries = (resource: string) => server.asked.filter(of(resource)).length
    // Failures at 0, 0.4, 1.2, 2.8, 6 and 12.4 s: the next try would come 20 s later.
    await eventually(() => first.problem !== '' && second.problem !== '', 'both see that the server is away')
    for (let elapsed = 0; elapsed < 13_000; elapsed += 200) {
      await clock.advance(200)
      await settle()
    }
    t.is(tries('others'), 6, protocol)
    away = false
    const before = tries('things')
    for (let elapsed = 0; tries('things') === before && elapsed < 12_000; elapsed += 100) {
      await clock.advance(100)
      await settle()
    }
    await first.whenSynced()
    t.false(second.synced, `${protocol}: it comes back with a delay of its own`)
    await clock.advance(400)
    await second.whenSynced()
  }
})

const failing = [
  { name: 'without an answer', most: 16, fail: (answer: Answer) => void answer.destroy() },
  { name: 'with a 503', most: 16, fail: (answer: Answer) => sendStatus(answer, 503, 'ServiceUnavailable') },
  { name: 'with a refusal', most: 8, fail: (answer: Answer) => sendStatus(answer, 403, 'Forbidden') },
]

for (const { name, most, fail } of failing) {
  test(`a resource that fails ${name} backs off though others are answered`, async t => {
    const server = await scriptedServer(t, 'http', (asked, answer) => {
      if (of('others')(asked)) return fail(answer)
      answer.end('{}')
    })
    const clock = new VirtualClock()
    const client = new RestClient({ access: server.access(), clock })
    const informer = createInformer(client, { ...view, resource: OTHERS }, { clock, random: slow })
    await informer.start()
    t.teardown(async () => {
      await informer.close()
      await client.close()
    })
    // One minute: alone, it tries at 0, 0.4, 1.2, 2.8, 6, 12.4, 25.2 and 45.2 s.
    for (let elapsed = 0; elapsed < 60_000; elapsed += 200) {
      await client.raw('/version')
      await clock.advance(200)
    }
    const tries = server.asked.filter(of('others')).length
    t.true(tries >= most / 2 && tries <= most, `${tries} tries`)
  })
}
