/** Names of services in clusters of 100, 1,000 and 10,000 of them: what a query costs must not grow with the data. */
import type { BenchCase, Figures } from '../bench-case.ts'
import { seamark } from '../servers/seamark.ts'
import { defineWorkload } from '../workload.ts'

const SIZES = [100, 1000, 10_000]

const hits = defineWorkload({
  name: 'data-size',
  contenders: [seamark],
  questions: services => services.map(({ name }) => ({ name, type: 'A' })),
  expect: { noerror: 1, empty: 0 },
})

const run: BenchCase['run'] = async stage => {
  const rows: Record<string, Figures> = {}
  for (const size of SIZES) {
    const { [seamark.name]: row } = (await hits.run(stage.withServices(size))) as Readonly<Record<string, Figures>>
    if (row) rows[`${size} services`] = row
  }
  return rows
}

export default { name: 'data-size', run } satisfies BenchCase
