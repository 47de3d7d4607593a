/** Configurations with `forward` under a clock that the test moves. */
import type { ExecutionContext } from 'ava'
import { sleep, systemClock } from '#lib/clock.ts'
import type { Configuration, World } from '#resolver/configuration.ts'
import { configure, type TestWorld, testWorld } from './dns-environment.ts'

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

/** Lets time pass twenty times as fast as it does until the promise settles: real replies keep their chance to come. */
export const whileTimePasses = async <Value>(world: TestWorld, promise: Promise<Value>): Promise<Value> => {
  let settled = false
  const watched = promise.finally(() => {
    settled = true
  })
  // Who awaits it hears of its failure.
  watched.catch(() => {})
  while (!settled) {
    await sleep(systemClock, 1)
    await world.clock.advance(20)
  }
  return watched
}
