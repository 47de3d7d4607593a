import test from 'ava'
import { siblingModule } from '#lib/worker.ts'

test('a sibling is found in the form in which its caller runs', t => {
  const cases: [caller: string, sibling: string][] = [
    ['file:///seamark/cluster/store/store.ts', 'file:///seamark/cluster/store/worker.ts'],
    ['file:///seamark/dist/cluster/store/store.js', 'file:///seamark/dist/cluster/store/worker.js'],
    ['file:///with%20space/store.ts?loader=1', 'file:///with%20space/worker.ts'],
  ]
  for (const [caller, sibling] of cases) t.is(siblingModule('worker', caller).href, sibling)
})
