import test from 'ava'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { validateUpdate } from '#cluster/api/validate.ts'
import { prepared, texts } from '../../../support/api-objects.ts'
import { main, one, type Spec } from '../../../support/pod-bodies.ts'

const changed = (current: ApiObject, change: (spec: Spec) => void): string[] => {
  const next = structuredClone(current)
  change(next.spec as Spec)
  podKind.prepareForUpdate?.(next, current)
  podKind.applyDefaults?.(next)
  return texts(validateUpdate(podKind, next, current))
}
const firstContainer = (spec: Spec): Spec => (spec.containers as Spec[])[0] ?? {}

test('an image, a deadline and more tolerations may change', t => {
  const current = prepared(podKind, one({}, { tolerations: [{ key: 'a', operator: 'Exists' }] }))
  t.deepEqual(
    changed(current, spec => void (firstContainer(spec).image = 'i:2')),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.activeDeadlineSeconds = 5)),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.tolerations as Spec[]).push({ key: 'b', operator: 'Exists' })),
    [],
  )
})

test('nothing else may', t => {
  const current = prepared(
    podKind,
    one({}, { tolerations: [{ key: 'a', operator: 'Exists' }], activeDeadlineSeconds: 5 }),
  )
  const forbidden = (change: (spec: Spec) => void) => {
    const errors = changed(current, change)
    t.is(errors.length, 1, errors.join('\n'))
    t.regex(errors[0] ?? '', /^spec: Forbidden: pod updates may not change fields other than/)
  }
  forbidden(spec => void (firstContainer(spec).args = ['x']))
  forbidden(spec => void (spec.nodeName = 'n'))
  forbidden(spec => void (spec.tolerations = []))
  forbidden(spec => void (spec.hostNetwork = true))
  t.deepEqual(
    changed(current, spec => void (spec.containers as Spec[]).push(main({ name: 'd' }))),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  )
  t.deepEqual(
    changed(current, spec => void (spec.activeDeadlineSeconds = 6)),
    ['spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value'],
  )
})

test('a gated pod may be steered, and its gates only go', t => {
  const current = prepared(podKind, one({}, { schedulingGates: [{ name: 'a' }] }))
  t.deepEqual(
    changed(current, spec => void (spec.nodeSelector = { disk: 'ssd' })),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.schedulingGates = [])),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.schedulingGates as Spec[]).push({ name: 'b' })),
    ["spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"],
  )
})
