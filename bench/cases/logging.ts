/** What a line of log for every query costs, beside the same without. */
import { seamark, seamarkWith } from '../servers/seamark.ts'
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'logging',
  contenders: [seamark, seamarkWith('seamark, log', '    log\n')],
  questions: services => services.map(({ name }) => ({ name, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
})
