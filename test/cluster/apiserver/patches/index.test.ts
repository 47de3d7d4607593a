import test from 'ava'
import { applyPatch, PATCH_FORMATS, parsePatch } from '#cluster/apiserver/patches/index.ts'

test('a patch is found by its media type, parsed once and applied', t => {
  t.deepEqual(
    PATCH_FORMATS.map(({ mediaType }) => mediaType),
    ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json'],
  )
  const parsed = parsePatch('application/merge-patch+json', '{"spec":{"type":"NodePort","type":"NodePort"}}')
  t.true(parsed?.ok)
  if (!parsed?.ok) return
  t.deepEqual(parsed.value.duplicates, ['spec.type'])
  t.deepEqual(applyPatch({ spec: {} }, parsed.value, 'core/v1.Service'), {
    ok: true,
    value: { spec: { type: 'NodePort' } },
  })
})

test('another media type is nobody’s, and a body that is not JSON is refused', t => {
  t.is(parsePatch('application/apply-patch+yaml', '{}'), undefined)
  const parsed = parsePatch('application/json-patch+json', '[')
  t.false(parsed?.ok)
  if (parsed && !parsed.ok) t.regex(parsed.problem.message ?? '', /^error decoding patch: /)
})
