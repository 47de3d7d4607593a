/** What a Pod asks for in all, by how its containers run (KEP-753, KEP-2837, KEP-688). */
import test from 'ava'
import type { PodSpec } from '#cluster/api/pod/pod.ts'
import { podDemand, podDemandWithOverhead } from '#cluster/api/pod/resources.ts'
import { writeAmounts } from '#cluster/api/resource-list.ts'

const main = (cpu: string) => ({ name: 'c', resources: { requests: { cpu } } })
const sidecar = (cpu: string) => ({ ...main(cpu), restartPolicy: 'Always' })

const CASES: readonly (readonly [title: string, spec: PodSpec, cpu: string])[] = [
  ['containers run together', { containers: [main('1'), main('500m')] }, '1500m'],
  ['an init container runs alone', { initContainers: [main('2'), main('3')], containers: [main('1')] }, '3'],
  ['a small one asks for nothing more', { initContainers: [main('1')], containers: [main('2')] }, '2'],
  ['sidecars run along', { initContainers: [sidecar('1')], containers: [main('2')] }, '3'],
  [
    'an init container runs beside the sidecars before it',
    { initContainers: [sidecar('1'), main('5'), sidecar('2')], containers: [main('1')] },
    '6',
  ],
  ['and not beside those after it', { initContainers: [main('5'), sidecar('1')], containers: [main('1')] }, '5'],
  ['what the Pod says counts', { containers: [main('1')], resources: { requests: { cpu: '7' } } }, '7'],
]

for (const [title, spec, cpu] of CASES) {
  test(title, t => {
    t.deepEqual(writeAmounts(podDemand(spec, 'requests')), { cpu })
  })
}

test('how it is run costs besides, of limits where there are some', t => {
  const spec = { containers: [main('1')], overhead: { cpu: '250m', memory: '64Mi' } }
  t.deepEqual(writeAmounts(podDemandWithOverhead(spec, 'requests')), { cpu: '1250m', memory: '64Mi' })
  t.deepEqual(writeAmounts(podDemandWithOverhead(spec, 'limits')), {})
  const limited = { ...spec, containers: [{ name: 'c', resources: { limits: { cpu: '2' } } }] }
  t.deepEqual(writeAmounts(podDemandWithOverhead(limited, 'limits')), { cpu: '2250m' })
})
