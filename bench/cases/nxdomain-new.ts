/** Search candidates that nobody has asked for before: what a flood of new names costs beside names that were seen. */
import { knot } from '../servers/knot.ts'
import { seamark } from '../servers/seamark.ts'
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'nxdomain-new',
  contenders: [seamark, knot],
  questions: services =>
    services.map(({ name }) => ({ name: `00000000.example.com.${name.split('.')[1]}.svc.cluster.local.`, type: 'A' })),
  fresh: true,
  expect: { noerror: 0, empty: 1 },
})
