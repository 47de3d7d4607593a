/** External names that nobody has asked for before: each goes to the upstream, which is a process on loopback. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'misses',
  questions: () => [{ name: '00000000.example.com.', type: 'A' }],
  fresh: true,
  expect: { noerror: 1, empty: 0 },
  needs: 'forwards',
  rate: 2000,
})
