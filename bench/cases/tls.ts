/** Names of services over TLS (RFC 7858): four connections, many queries under way on each. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'tls',
  transport: 'tls',
  questions: services => services.map(({ name }) => ({ name, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
  rate: 2000,
})
