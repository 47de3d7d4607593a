import test from 'ava'
import fc from 'fast-check'
import { formatQuantity, parseQuantity } from '#cluster/api/quantity.ts'

const cases: readonly [string, string][] = [
  ['0', '0'],
  ['0Ki', '0'],
  ['1', '1'],
  ['1000', '1k'],
  ['1000m', '1'],
  ['0.5', '500m'],
  ['.5', '500m'],
  ['5.', '5'],
  ['100m', '100m'],
  ['1500m', '1500m'],
  ['1024', '1024'],
  ['1024Ki', '1Mi'],
  ['1Gi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['0.5Gi', '512Mi'],
  ['0.5Ki', '512'],
  ['1e3', '1e3'],
  ['1E3', '1e3'],
  ['12e-3', '12e-3'],
  ['1E', '1E'],
  ['-1.5', '-1500m'],
  ['+3', '3'],
  ['0.0000000001', '1n'],
  ['123456789', '123456789'],
]

for (const [given, printed] of cases) {
  test(`${given} is printed ${printed}`, t => {
    const quantity = parseQuantity(given)
    t.truthy(quantity)
    if (quantity) t.is(formatQuantity(quantity), printed)
  })
}

test('what is no quantity', t => {
  for (const text of ['', 'x', '1x', '1 ', '--1', '1ki', '1KI', '.', '1e', '1.2.3', '9'.repeat(65)]) {
    t.is(parseQuantity(text), undefined, text)
  }
})

test('printing and reading again gives the same value', t => {
  const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-3')
  fc.assert(
    fc.property(fc.integer({ min: -1e6, max: 1e6 }), suffix, (number, unit) => {
      const quantity = parseQuantity(`${number}${unit}`)
      if (!quantity) return false
      const again = parseQuantity(formatQuantity(quantity))
      return again?.nano === quantity.nano && formatQuantity(again) === formatQuantity(quantity)
    }),
  )
  t.pass()
})
