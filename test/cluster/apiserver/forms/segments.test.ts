import test from 'ava'
import fc from 'fast-check'
import { Segments } from '#cluster/apiserver/forms/segments.ts'

test('the chunks are the parts, whatever their sizes, and none is small but the last', t => {
  const sizes = fc.array(fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(900_000)), { maxLength: 40 })
  fc.assert(
    fc.property(sizes, all => {
      const parts = all.map((size, index) => Buffer.alloc(size, index + 1))
      const segments = new Segments(parts)
      const chunks = [...segments.chunks()]
      const whole = Buffer.concat(parts)
      t.is(segments.length, whole.length)
      t.true(Buffer.concat(chunks).equals(whole))
      t.true(segments.join().equals(whole))
      t.true(chunks.slice(0, -1).every(({ length }) => length >= 512 * 1024 && length < 512 * 1024 + 900_000))
    }),
    { numRuns: 50 },
  )
})

test('they read as their text, characters that lie in two parts included', t => {
  const bytes = Buffer.from('{"name":"Käse"}')
  t.is(`${new Segments([bytes.subarray(0, 11), bytes.subarray(11)])}`, '{"name":"Käse"}')
})
