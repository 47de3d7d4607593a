/** Configurations with `forward` under a clock that the test moves. */
import type { ExecutionContext } from 'ava'
import { sleep, systemClock } from '#lib/clock.ts'
import type { Configuration, World } from '#resolver/configuration.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { configure, type TestWorld, testWorld } from './dns-environment.ts'
import type { StubUpstream } from './upstream.ts'

export interface StartedConfiguration {
  readonly world: TestWorld
  readonly configuration: Configuration
}

export const startConfiguration = async (
  t: ExecutionContext,
  text: string,
  { folder, ...changes }: Partial<World> & { readonly folder?: string } = {},
): Promise<StartedConfiguration> => {
  const world = testWorld(changes)
  const configuration = configure(text, world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  return { world, configuration }
}

/**
 * Lets time pass until the promise settles, twenty times as fast as it does: real replies keep their chance to come; with
 * `settled`, they all come: time stands still while that says false.
 */
export const whileTimePasses = async <Value>(
  world: TestWorld,
  promise: Promise<Value>,
  settled: () => boolean = () => true,
): Promise<Value> => {
  let isDone = false
  const watched = promise.finally(() => {
    isDone = true
  })
  // Who awaits it hears of its failure.
  watched.catch(() => {})
  while (!isDone) {
    await sleep(systemClock, 1)
    if (settled()) await world.clock.advance(20)
  }
  return watched
}

interface ForwardStatistics {
  readonly upstreams: readonly { readonly queries: number; readonly underWay: number }[]
}

/**
 * Whether every question of the `forward` line has come to its upstream, and every reply back: what is still under way
 * waits for time to pass. `upstreams`: in the line's order. For questions of type A; others (probes) come and go.
 */
export const areQuestionsSettled =
  (configuration: Configuration, upstreams: readonly StubUpstream[]) => (): boolean => {
    const forward = configuration.plugins.find(({ name }) => name === 'forward')
    const known = (forward!.statistics!() as unknown as ForwardStatistics).upstreams
    return upstreams.every(({ queries, unanswered }, index) => {
      const { queries: sent, underWay } = known[index]!
      return (
        queries.filter(({ question }) => question.type === recordTypes.A).length === sent && underWay <= unanswered()
      )
    })
  }
