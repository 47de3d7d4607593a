/**
 * What pods with `ndots:5` and a search list of four domains ask: for an external name five candidates, A and AAAA each
 * (the last domain is the provider's, which the upstream denies); for `SERVICE.NAMESPACE` two.
 */
import type { ServiceEntry } from '../contender.ts'
import type { LoadQuestion } from '../load-generator.ts'
import { defineWorkload } from '../workload.ts'

const both = (name: string): readonly LoadQuestion[] => [
  { name, type: 'A' },
  { name, type: 'AAAA' },
]

const questionsOf = ({ name }: ServiceEntry, index: number): readonly LoadQuestion[] => {
  const [service, namespace] = name.split('.')
  const domains = [`${namespace}.svc.cluster.local.`, 'svc.cluster.local.', 'cluster.local.', 'region-1.internal.']
  const external = [...domains.map(domain => `www-${index}.example.com.${domain}`), `www-${index}.example.com.`]
  const internal = domains.slice(0, 2).map(domain => `${service}.${namespace}.${domain}`)
  return [...external, ...internal].flatMap(both)
}

/** Of the 14 questions of a service, four are for names that there are: A and AAAA of the external one and of the service. */
export default defineWorkload({
  name: 'search-list',
  questions: services => services.flatMap(questionsOf),
  expect: { noerror: 4 / 14, empty: 12 / 14 },
  needs: 'forwards',
})
