import { randomInt } from 'node:crypto'

/** Randomness, passed in: tests give a seeded source. */
export interface Random {
  /** Uniform in [0, 1). For jitter and shuffling. */
  unit(): number
  /** Uniform integer in [0, limit), unpredictable: query ids, ports, names. `limit` ≤ 2^48. */
  integer(limit: number): number
}

export const systemRandom: Random = {
  unit: () => Math.random(),
  integer: limit => randomInt(limit),
}
