import test from 'ava'
import {
  familyOf,
  parseCidr,
  validateCanonicalCidr,
  validateCanonicalIp,
  validateCidr,
  validateIp,
} from '#cluster/api/ip.ts'

const messages = (errors: readonly { message: string }[]): string[] => errors.map(({ message }) => message)

test('families', t => {
  t.is(familyOf('10.0.0.1'), 'IPv4')
  t.is(familyOf('2001:db8::1'), 'IPv6')
  for (const text of ['', 'x', '10.0.0', '010.0.0.1', 'fe80::1%eth0', '10.0.0.1 ', '1.2.3.4.5'])
    t.is(familyOf(text), undefined, text)
})

test('spellings', t => {
  t.deepEqual(validateIp('f', '2001:DB8:0:0::1'), [])
  t.deepEqual(messages(validateIp('f', '::ffff:10.0.0.1')), [
    'Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address',
  ])
  t.deepEqual(validateCanonicalIp('f', '2001:db8::1'), [])
  t.deepEqual(messages(validateCanonicalIp('f', '2001:DB8:0:0::1')), [
    'Invalid value: "2001:DB8:0:0::1": must be in canonical form ("2001:db8::1")',
  ])
  t.deepEqual(
    validateCanonicalIp('f', '2001:db8:0:1:1:1:1:1'),
    [],
    'RFC 5952 §4.2.2: a single group of zeros is not shortened',
  )
})

test('ranges', t => {
  t.like(parseCidr('10.0.0.1/8'), { family: 'IPv4', prefix: 8 })
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', 'fd00::/129', '/8']) {
    t.is(parseCidr(text), undefined, text)
    t.is(validateCidr('f', text).length, 1, text)
  }
  t.deepEqual(validateCidr('f', '10.0.0.1/8'), [])
  t.deepEqual(validateCanonicalCidr('f', '10.0.0.0/8'), [])
  t.deepEqual(validateCanonicalCidr('f', 'fd00::/112'), [])
})
