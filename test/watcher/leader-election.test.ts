import test, { type ExecutionContext } from 'ava'
import { RestClient } from '#watcher/client.ts'
import { LeaderElection } from '#watcher/leader-election.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventually } from './support/eventually.ts'
import { type Script, scriptedServer, sendJson, sendStatus } from './support/scripted-server.ts'

interface StoredLease {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string }
  readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions: number }
}

/** One Lease with compare-and-swap, as the apiserver keeps it; `away` makes it refuse. */
class LeaseKeeper {
  stored: StoredLease | undefined
  away = (_userAgent: unknown): boolean => false
  /** Called before a change is looked at. */
  beforeUpdate = (_lease: StoredLease): void => {}
  #revision = 0

  readonly script: Script = (asked, answer) => {
    if (this.away(asked.headers['user-agent'])) return sendStatus(answer, 500, 'InternalError')
    if (asked.method === 'GET') {
      return this.stored ? sendJson(answer, 200, this.stored) : sendStatus(answer, 404, 'NotFound')
    }
    const lease = JSON.parse(asked.body) as StoredLease
    if (asked.method === 'PUT') this.beforeUpdate(lease)
    if (asked.method === 'POST' && this.stored) return sendStatus(answer, 409, 'AlreadyExists')
    if (asked.method === 'PUT' && lease.metadata.resourceVersion !== this.stored?.metadata.resourceVersion) {
      return sendStatus(answer, 409, 'Conflict')
    }
    this.keep(lease)
    return sendJson(answer, 200, this.stored)
  }

  keep(lease: StoredLease): void {
    this.stored = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(++this.#revision) } }
  }
}

/** The client, counting its calls that wait for an answer. */
const counted = (client: RestClient, calls: { waiting: number }): RestClient =>
  new Proxy(client, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        const answer = member.apply(target, args)
        calls.waiting++
        const end = () => void calls.waiting--
        Promise.resolve(answer).then(end, end)
        return answer
      }
    },
  })

const candidates = async (t: ExecutionContext, names: readonly string[]) => {
  const keeper = new LeaseKeeper()
  const server = await scriptedServer(t, 'http', keeper.script)
  const clock = new VirtualClock()
  /** What happened, in order. */
  const log: string[] = []
  const calls = { waiting: 0 }
  const elections = names.map(identity => {
    const client = counted(new RestClient({ access: server.access(), clock, userAgent: identity }), calls)
    const lead = async (signal: AbortSignal) => {
      log.push(`${identity} leads`)
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
      log.push(`${identity} stops`)
    }
    const lease = { namespace: 'kube-system', name: 'seamark' }
    const election = new LeaderElection({
      client,
      lease,
      identity,
      lead,
      clock,
      random: { unit: () => 0, integer: () => 0 },
    })
    t.teardown(async () => {
      await election.close()
      await client.close()
    })
    return election
  })
  /** Moves time in steps; it stands while a call waits, however long this machine takes for that. */
  const pass = async (duration: number, until = () => false) => {
    for (let elapsed = 0; elapsed < duration && !until(); elapsed += 250) {
      await eventually(() => calls.waiting === 0, 'an answer to every call')
      await clock.advance(250)
    }
  }
  return { keeper, clock, log, elections, pass }
}

test('one of three leads, and keeps leading', async t => {
  const { keeper, log, elections, pass } = await candidates(t, ['a', 'b', 'c'])
  for (const election of elections) await election.start()
  await pass(60_000)
  t.is(log.length, 1)
  t.is(elections.filter(election => election.leading).length, 1)
  t.is(keeper.stored?.spec.leaseTransitions, 0)
  const leader = keeper.stored?.spec.holderIdentity
  t.true(elections.every(election => election.leader === leader))
})

test('a leader that is closed gives the lease up, and another takes it at once', async t => {
  const { keeper, clock, log, elections, pass } = await candidates(t, ['a', 'b'])
  await elections[0]?.start()
  await pass(1_000)
  await elections[1]?.start()
  await pass(5_000)
  t.deepEqual(log, ['a leads'])
  await elections[0]?.close()
  t.deepEqual(log, ['a leads', 'a stops'])
  t.is(keeper.stored?.spec.holderIdentity, undefined)
  const releasedAt = clock.monotonic()
  await pass(10_000, () => log.length === 3)
  t.deepEqual(log, ['a leads', 'a stops', 'b leads'])
  t.true(clock.monotonic() - releasedAt <= 4_000)
  t.is(keeper.stored?.spec.leaseTransitions, 1)
})

test('a renewal that arrives after the leader has read the lease to give it up does not keep it', async t => {
  const { keeper, elections, pass } = await candidates(t, ['a'])
  await elections[0]?.start()
  await pass(1_000, () => elections[0]?.leading === true)
  let late = true
  keeper.beforeUpdate = ({ spec }) => {
    if (late && spec.holderIdentity === undefined && keeper.stored) keeper.keep(keeper.stored)
    if (spec.holderIdentity === undefined) late = false
  }
  await elections[0]?.close()
  t.false(late)
  t.is(keeper.stored?.spec.holderIdentity, undefined)
})

test('a leader that cannot renew stops after 10 s, before another one may take the lease after 15 s', async t => {
  const { keeper, clock, log, elections, pass } = await candidates(t, ['a', 'b'])
  await elections[0]?.start()
  await pass(1_000)
  await elections[1]?.start()
  await pass(5_000)
  // The network of `a` is down.
  keeper.away = userAgent => userAgent === 'a'
  const downAt = clock.monotonic()
  await pass(30_000, () => log.length === 2)
  t.deepEqual(log, ['a leads', 'a stops'])
  const stoppedAfter = clock.monotonic() - downAt
  t.true(stoppedAfter >= 6_000 && stoppedAfter <= 12_500, `${stoppedAfter} ms`)
  await pass(30_000, () => log.length === 3)
  t.deepEqual(log, ['a leads', 'a stops', 'b leads'])
  const takenAfter = clock.monotonic() - downAt
  t.true(takenAfter >= 12_500 && takenAfter <= 20_000, `${takenAfter} ms`)
})

test('work that ends by itself gives the lease up', async t => {
  const keeper = new LeaseKeeper()
  const server = await scriptedServer(t, 'http', keeper.script)
  const client = new RestClient({ access: server.access() })
  let terms = 0
  const abort = new AbortController()
  const election = new LeaderElection({
    client,
    lease: { namespace: 'kube-system', name: 'seamark' },
    identity: 'a',
    retryPeriod: 10,
    lead: async () => {
      if (++terms === 2) abort.abort()
      throw new Error('the work failed')
    },
  })
  await election.start()
  await new Promise(resolve => abort.signal.addEventListener('abort', resolve, { once: true }))
  await election.close()
  await client.close()
  t.is(keeper.stored?.spec.holderIdentity, undefined)
  t.true(terms >= 2)
})
