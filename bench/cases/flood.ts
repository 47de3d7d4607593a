/** Clients that ask now and then, beside a pod that floods the server with search candidates: with and without a limit. */
import { defineDisturbance } from '../disturbance.ts'
import { seamark, seamarkWith } from '../servers/seamark.ts'

const limited = seamarkWith('seamark, ratelimit', '    ratelimit {\n        queries 3000\n    }\n')

export default defineDisturbance({
  name: 'flood',
  contenders: [seamark, limited],
  steady: {
    questions: services => services.map(({ name }) => ({ name, type: 'A' })),
    rate: 2000,
    source: '127.0.0.2',
  },
  burden: {
    questions: services =>
      services.map((_, index) => ({ name: `www-${index}.example.com.team-0.svc.cluster.local.`, type: 'A' })),
    rate: 30_000,
    source: '127.0.0.66',
  },
})
