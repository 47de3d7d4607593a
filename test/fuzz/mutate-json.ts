/** Changes of a value as JSON has them: its form stays, what is in it does not. */
import type { SeededNumbers } from '../support/malformed-packets.ts'

const instead: readonly unknown[] = [
  ...[
    '',
    'a',
    '.',
    '..',
    '*',
    'a.b',
    '-',
    '_http',
    'web',
    'shop',
    'A'.repeat(64),
    'a.'.repeat(130),
    '\u0000',
    'ü',
    '\\',
    '/',
  ],
  ...['192.0.2.1', '192.0.2.256', 'fd00::1', '::ffff:192.0.2.1', 'fd00::1%eth0', '0x7f.1', 'None', 'IPv6', 'ClusterIP'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'shop/web',
    'shop/',
    '/',
    'ExternalName',
    'www.example.org',
    'TCP',
    'SCTP',
  ],
  ...[0, -1, 1.5, 65_536, 2 ** 53, 1e300, true, false, null],
  ...[[], {}, [[]], [null], { '': '' }],
]

export const mutateJson = (numbers: SeededNumbers, value: unknown): unknown => {
  const isInside = typeof value === 'object' && value !== null && numbers.below(8) > 0
  if (Array.isArray(value) && isInside) {
    if (value.length === 0) return [numbers.pick(instead)]
    const at = numbers.below(value.length)
    const way = numbers.below(8)
    if (way === 0) return value.toSpliced(at, 1)
    if (way === 1) return [...value, value[at]]
    return value.with(at, mutateJson(numbers, value[at]))
  }
  if (!isInside) return numbers.pick(instead)
  const entries = Object.entries(value)
  if (entries.length === 0) return { [String(numbers.pick(instead))]: numbers.pick(instead) }
  const at = numbers.below(entries.length)
  const [key, part] = entries[at]!
  if (numbers.below(8) === 0) return Object.fromEntries(entries.toSpliced(at, 1))
  return Object.fromEntries(entries.with(at, [key, mutateJson(numbers, part)]))
}
