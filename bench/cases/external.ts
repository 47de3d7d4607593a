/** External names that are in the cache. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'external',
  questions: services => services.map((_, index) => ({ name: `www-${index}.example.com.`, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
  needs: 'forwards',
})
