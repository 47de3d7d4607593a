/** Where workers cannot run: names of services by node:dgram, beside a program that only sends packets back by it. */
import { dgramEcho } from '../servers/dgram-echo.ts'
import { seamarkDgram } from '../servers/seamark.ts'
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'dgram',
  contenders: [seamarkDgram, dgramEcho],
  questions: services => services.map(({ name }) => ({ name, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
})
