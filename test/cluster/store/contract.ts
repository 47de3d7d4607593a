/**
 * The store's contract as tests: every backend runs them unchanged (`sqlite.test.ts`). A backend gives a way to open a
 * store on a place, and to open that same place again.
 */
import type { TestFn } from 'ava'
import { testHistory } from './contract/history.ts'
import { testLeases } from './contract/leases.ts'
import { testModel } from './contract/model.ts'
import { lawsOf, type MakePlace } from './contract/place.ts'
import { testReadsAndWrites } from './contract/reads-and-writes.ts'
import { testWatches } from './contract/watches.ts'

export const testContract = (test: TestFn, name: string, makePlace: MakePlace): void => {
  const law = lawsOf(test, name, makePlace)
  testReadsAndWrites(law)
  testHistory(law)
  testWatches(law)
  testModel(law)
  testLeases(test, name, makePlace)
}
