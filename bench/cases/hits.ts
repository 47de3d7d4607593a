/** Names of services that exist, A. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'hits',
  questions: services => services.map(({ name }) => ({ name, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
})
