/** Names of services over TCP: four connections, many queries under way on each. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'tcp',
  transport: 'tcp',
  questions: services => services.map(({ name }) => ({ name, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
})
