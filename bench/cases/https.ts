/** Names of services over HTTPS (RFC 8484, HTTP/2, GET): four connections, many requests under way on each. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'https',
  transport: 'https',
  questions: services => services.map(({ name }) => ({ name, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
  rate: 2000,
})
