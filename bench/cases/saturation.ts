/**
 * Clients that ask for the cluster's names, beside others that ask for three times as many external names as the upstream
 * can answer: an upstream that is late must not make the cluster's own names late.
 */
import { defineDisturbance } from '../disturbance.ts'
import { contenders } from '../servers/index.ts'

const CAPACITY = 2000
const MISSES = 3 * CAPACITY
/** Longer than any measurement. */
const SECONDS = 2

export default defineDisturbance({
  name: 'saturation',
  contenders,
  needs: 'forwards',
  steady: {
    questions: services => services.map(({ name }) => ({ name, type: 'A' })),
    rate: 10_000,
    source: '127.0.0.2',
  },
  burden: {
    questions: (_, turn) =>
      Array.from({ length: MISSES * SECONDS }, (_, index) => ({
        name: `miss-${turn}-${index}.example.com.`,
        type: 'A',
      })),
    rate: MISSES,
    source: '127.0.0.66',
  },
  upstreamCapacity: CAPACITY,
})
