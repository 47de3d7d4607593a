import { type Clock, type Milliseconds, systemClock } from '#lib/clock.ts'

/** Milliseconds; longer than any test. */
export const NEVER: Milliseconds = 1_000_000_000

/**
 * The system's clock, on which other times pass instead of these delays: a wait that a test is not about is a short one,
 * and a limit that a slow machine might reach is far away.
 */
export const clockWith = (delays: Readonly<Record<Milliseconds, Milliseconds>>): Clock => ({
  ...systemClock,
  after: (delay, task) => systemClock.after(delays[delay] ?? delay, task),
})
