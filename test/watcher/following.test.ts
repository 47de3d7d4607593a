/** How a reflector says that it stands to its server, and what it does when somebody has need of its list. */
import test from 'ava'
import { RestClient } from '#watcher/client.ts'
import { createInformer } from '#watcher/create-informer.ts'
import type { FollowState } from '#watcher/following.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventually, settle } from './support/eventually.ts'
import { follow, inTurn, PROTOCOLS, silent, stream, THINGS, view } from './support/followed.ts'
import {
  type Answer,
  cutConnection,
  event,
  initialEventsEnd,
  scriptedServer,
  sendStatus,
  thing,
} from './support/scripted-server.ts'

for (const protocol of PROTOCOLS) {
  test(`${protocol}: following once what was missed has come, and no longer than the stream`, async t => {
    let open: Answer | undefined
    const keep = (answer: Answer) => {
      open = answer
    }
    const { clock, informer } = await follow(
      t,
      protocol,
      inTurn(
        (asked, answer) => {
          stream(event('ADDED', thing('a', 4)), initialEventsEnd(5))(asked, answer)
          keep(answer)
        },
        (asked, answer) => {
          silent(asked, answer)
          keep(answer)
        },
      ),
    )
    const states: FollowState[] = []
    informer.following.subscribe(state => states.push(state))
    await informer.whenSynced()
    t.is(informer.following.state, 'following')
    open!.end()
    open = undefined
    await eventually(() => open !== undefined && informer.problem === '', 'the next stream is open')
    await settle()
    t.is(informer.following.state, 'trying', 'what was missed may be on its way')
    await clock.advance(9)
    open!.write(event('ADDED', thing('b', 6)))
    await eventually(() => informer.size === 2, 'a missed event')
    await clock.advance(9)
    t.is(informer.following.state, 'trying')
    await clock.advance(1)
    t.is(informer.following.state, 'following')
    cutConnection(open!)
    await eventually(() => informer.following.state === 'unreachable', 'the loss')
    t.deepEqual(states.slice(-4), ['following', 'trying', 'following', 'unreachable'])
  })

  test(`${protocol}: a stream in which changes never pause follows all the same`, async t => {
    let open: Answer | undefined
    const { clock, informer } = await follow(
      t,
      protocol,
      inTurn(
        (asked, answer) => {
          stream(initialEventsEnd(5))(asked, answer)
          setTimeout(() => answer.end(), 5)
        },
        (asked, answer) => {
          silent(asked, answer)
          open = answer
        },
      ),
    )
    await eventually(() => open !== undefined, 'the second stream is open')
    for (let elapsed = 0; elapsed < 100; elapsed += 5) {
      t.is(informer.following.state, 'trying', `${elapsed} ms`)
      open!.write(event('ADDED', thing('a', 6 + elapsed)))
      await eventually(() => informer.resourceVersion === String(6 + elapsed), 'a change')
      await clock.advance(5)
    }
    t.is(informer.following.state, 'following')
  })

  test(`${protocol}: retry ends the wait, for all lists of a client, and leaves the backoff as it is`, async t => {
    let away = true
    const server = await scriptedServer(t, protocol, (asked, answer) => {
      if (away) cutConnection(answer)
      else stream(initialEventsEnd(5))(asked, answer)
    })
    const clock = new VirtualClock()
    const client = new RestClient({ access: server.access(), clock })
    const slow = { unit: () => 0.999, integer: () => 0 }
    const informers = [view, { ...view, resource: { ...THINGS, resource: 'others' } }].map(one =>
      createInformer(client, one, { clock, random: slow }),
    )
    await Promise.all(informers.map(informer => informer.start()))
    t.teardown(async () => {
      await Promise.all(informers.map(informer => informer.close()))
      await client.close()
    })
    const states = () => informers.map(({ following }) => following.state)
    const failed = () => eventually(() => states().every(state => state === 'unreachable'), 'both failed')
    await failed()
    for (let tries = 0; tries < 20; tries++) {
      for (const { following } of informers) following.retry()
      await eventually(() => states().includes('trying'), 'a try')
      await failed()
    }
    const before = server.asked.length
    await clock.advance(390)
    await settle()
    t.is(server.asked.length, before, 'the first wait of 400 ms goes on')
    await clock.advance(10)
    await eventually(() => server.asked.length > before, 'its end')
    await failed()
    away = false
    for (const { following } of informers) following.retry()
    await Promise.all(informers.map(informer => informer.whenSynced()))
    t.deepEqual(states(), ['following', 'following'])
  })
}

test('a server that says no is there', async t => {
  const { informer } = await follow(t, 'http', (_asked, answer) => sendStatus(answer, 403, 'Forbidden'))
  await eventually(() => informer.following.state === 'refused', 'the refusal')
  t.pass()
})
