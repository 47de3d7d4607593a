/** AAAA of services in a cluster of IPv4 alone: half of all questions there. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'empty-aaaa',
  questions: services => services.map(({ name }) => ({ name, type: 'AAAA' })),
  expect: { noerror: 1, empty: 1 },
})
