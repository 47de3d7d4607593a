/** Search candidates of external names: what ndots:5 makes of each before the name itself is asked. */
import { defineWorkload } from '../workload.ts'

export default defineWorkload({
  name: 'nxdomain',
  questions: services =>
    services.map(({ name }, index) => {
      const [, namespace] = name.split('.')
      return { name: `www-${index}.example.com.${namespace}.svc.cluster.local.`, type: 'A' }
    }),
  expect: { noerror: 0, empty: 1 },
})
