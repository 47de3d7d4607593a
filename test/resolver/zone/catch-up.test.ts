import test from 'ava'
import {
  CatchUp,
  type CatchUpOutcome,
  EARLY,
  EARLY_PAUSE,
  LATE_PAUSE,
  MAX_WAITING,
  PATIENCE,
  UNCLEAR,
} from '#resolver/zone/catch-up.ts'
import { StaticFollowing } from '../../support/static-informer.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** Two lists that follow; what `nobody` and the others do is what tries come to. */
const world = () => {
  const clock = new VirtualClock()
  const lists = [new StaticFollowing(), new StaticFollowing()]
  const told: CatchUpOutcome[] = []
  const state = { changes: 0 }
  const catchUp = new CatchUp({
    lists,
    clock,
    onChange: () => void state.changes++,
    onOutcome: outcome => void told.push(outcome),
  })
  const each = (act: (list: StaticFollowing) => void) => () => lists.forEach(act)
  return {
    ...{ clock, lists, told, state, catchUp },
    lose: each(list => list.enter('unreachable')),
    follow: each(list => list.enter('following')),
    nobody: each(list => (list.onRetry = () => list.enter('trying', 'unreachable'))),
    refusing: each(list => (list.onRetry = () => list.enter('trying', 'refused'))),
    silent: each(list => (list.onRetry = () => list.enter('trying'))),
    tries: () => Math.max(...lists.map(({ retries }) => retries)),
  }
}

/** What has come of it until now. */
const outcomeOf = (waiting: Promise<CatchUpOutcome> | CatchUpOutcome): { value: CatchUpOutcome | undefined } => {
  const box: { value: CatchUpOutcome | undefined } = { value: undefined }
  void Promise.resolve(waiting).then(value => (box.value = value))
  return box
}

const settle = () => new Promise(resolve => setImmediate(resolve))

test('while all lists follow nobody waits; a loss and its end are told once, however many lists it takes', async t => {
  const { catchUp, lose, follow, lists, state, told } = world()
  t.is(catchUp.wait(), 'caught-up')
  lose()
  t.is(state.changes, 1)
  lists[0]!.enter('trying', 'following')
  t.false(catchUp.isCaughtUp, 'the other one does not')
  lists[1]!.enter('trying', 'following')
  t.true(catchUp.isCaughtUp)
  t.is(state.changes, 2)
  lists[0]!.enter('trying')
  t.false(catchUp.isCaughtUp, 'between two streams nobody hears either')
  t.is(state.changes, 3)
  follow()
  t.is(state.changes, 4)
  t.deepEqual(told, [], 'nobody had to ask')
})

test('one try for all who ask; those who began it and those who came to it are answered together', async t => {
  const { catchUp, lists, lose, silent, clock, tries, told } = world()
  lose()
  silent()
  const asked = Array.from({ length: 50 }, () => outcomeOf(catchUp.wait()))
  await clock.advance(EARLY_PAUSE / 2)
  asked.push(outcomeOf(catchUp.wait()))
  t.is(tries(), 1)
  lists[0]!.enter('following')
  await settle()
  t.true(asked.every(({ value }) => value === undefined))
  lists[1]!.enter('following')
  await settle()
  t.true(asked.every(({ value }) => value === 'caught-up'))
  t.is(told.length, 51)
})

test('nobody there: denied by a try that began after the question, and by no other', async t => {
  const { catchUp, lists, lose, nobody, clock, tries } = world()
  lose()
  for (const list of lists) list.enter('trying')
  const waiting = outcomeOf(catchUp.wait())
  nobody()
  for (const list of lists) list.enter('unreachable')
  await settle()
  t.is(waiting.value, 'away', 'the first to fail had another try made at once, which failed')
  t.is(tries(), 1)
  const second = outcomeOf(catchUp.wait())
  await clock.advance(EARLY_PAUSE - 1)
  t.is(second.value, undefined, 'the last try was before the question')
  t.is(tries(), 1)
  await clock.advance(1)
  t.is(second.value, 'away')
  t.is(tries(), 2)
})

test('a server that is there and refuses may have taken something: nobody knows, and it is tried again meanwhile', async t => {
  const { catchUp, lose, refusing, follow, clock, tries } = world()
  lose()
  refusing()
  const waiting = outcomeOf(catchUp.wait())
  await clock.advance(PATIENCE - 1)
  t.is(waiting.value, undefined)
  t.is(tries(), 3)
  await clock.advance(1)
  t.is(waiting.value, 'unknown')
  const lucky = outcomeOf(catchUp.wait())
  follow()
  await settle()
  t.is(lucky.value, 'caught-up')
})

test('silence: nobody knows for some seconds, then what was known counts, and only a new try is waited for', async t => {
  const { catchUp, lists, lose, silent, nobody, clock, tries } = world()
  lose()
  silent()
  for (let elapsed = 0; elapsed < UNCLEAR; elapsed += PATIENCE) {
    const waiting = outcomeOf(catchUp.wait())
    await clock.advance(PATIENCE)
    t.is(waiting.value, 'unknown', `${elapsed}`)
  }
  t.is(catchUp.wait(), 'away')
  t.is(tries(), 1, 'it still goes on')
  await clock.advance(5000)
  for (const list of lists) list.enter('unreachable')
  t.is(catchUp.wait(), 'away', 'it has just failed')
  await clock.advance(LATE_PAUSE)
  const waiting = outcomeOf(catchUp.wait())
  await clock.advance(PATIENCE)
  t.is(waiting.value, 'away')
  t.is(tries(), 2)
  t.is(catchUp.wait(), 'away')
  for (const list of lists) list.enter('unreachable')
  t.is(tries(), 2)
  nobody()
  await clock.advance(LATE_PAUSE)
  t.is(await catchUp.wait(), 'away')
  t.is(tries(), 3)
  const early = outcomeOf(catchUp.wait())
  t.is(early.value, undefined, 'a quick refusal is clear again')
  await clock.advance(EARLY_PAUSE)
  t.is(early.value, 'away')
})

test('after a while one try a second, and those who come in between are answered at once', async t => {
  const { catchUp, lose, nobody, silent, follow, clock, tries } = world()
  lose()
  nobody()
  await clock.advance(EARLY)
  for (let second = 1; second <= 5; second++) {
    const waiting = outcomeOf(catchUp.wait())
    await settle()
    t.is(waiting.value, 'away')
    t.is(tries(), second)
    for (let ask = 0; ask < 9; ask++) {
      await clock.advance(LATE_PAUSE / 10)
      t.is(catchUp.wait(), 'away')
    }
    t.is(tries(), second)
    await clock.advance(LATE_PAUSE / 10)
  }
  silent()
  const waiting = outcomeOf(catchUp.wait())
  follow()
  await settle()
  t.is(waiting.value, 'caught-up')
  t.true(catchUp.isCaughtUp)
})

test('denials may be kept while all follow, and after a while as long as nothing new would be tried', async t => {
  const { catchUp, lose, nobody, follow, clock } = world()
  t.is(catchUp.denialsHoldUntil, Number.POSITIVE_INFINITY)
  lose()
  nobody()
  for (const elapsed of [0, LATE_PAUSE, EARLY - LATE_PAUSE - 1]) {
    await clock.advance(elapsed)
    t.is(catchUp.denialsHoldUntil, undefined, `${elapsed}`)
  }
  await clock.advance(1)
  t.is(catchUp.denialsHoldUntil, undefined, 'a try is due')
  await catchUp.wait()
  const failed = clock.monotonic()
  await clock.advance(LATE_PAUSE / 2)
  t.is(catchUp.denialsHoldUntil, failed + LATE_PAUSE)
  await clock.advance(LATE_PAUSE / 2)
  t.is(catchUp.denialsHoldUntil, undefined)
  follow()
  t.is(catchUp.denialsHoldUntil, Number.POSITIVE_INFINITY)
})

test('so many wait and no more; who is turned away is not told that there is nothing', async t => {
  const { catchUp, lose, silent, clock } = world()
  lose()
  silent()
  const waiting = Array.from({ length: MAX_WAITING }, () => catchUp.wait())
  t.true(waiting.every(one => one instanceof Promise))
  t.is(catchUp.wait(), 'unknown')
  await clock.advance(PATIENCE)
  t.deepEqual([...new Set(await Promise.all(waiting))], ['unknown'])
  t.true(catchUp.wait() instanceof Promise, 'there is room again')
})

test('its end lets nobody wait', async t => {
  const { catchUp, lose, silent } = world()
  lose()
  silent()
  const waiting = catchUp.wait()
  catchUp.close()
  t.is(await waiting, 'unknown')
})
