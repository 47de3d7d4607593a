import test from 'ava'
import { writeSipHash } from '#resolver/wire/siphash.ts'
import { sipHash } from '../../support/sip-hash.ts'

/** The reference implementation's own table: key 00…0f, message 00, 01, … of the length. */
const hashes: Record<number, string> = {
  0: '310e0edd47db6f72',
  1: 'fd67dc93c539f874',
  7: '37d1018bf50002ab',
  8: '6224939a79f5f593',
  15: 'e545be4961ca29a1',
}
const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

for (const [length, expected] of Object.entries(hashes)) {
  test(`of ${length} bytes, as the reference has it`, t => {
    const message = Buffer.from(Array.from({ length: Number(length) }, (_, index) => index))
    t.is(sipHash(key, message).toString('hex'), expected)
  })
}

test('written elsewhere, whatever stands behind the message', t => {
  const message = Buffer.alloc(32, 0xff)
  for (let index = 0; index < 15; index++) message[index] = index
  const to = Buffer.alloc(10)
  writeSipHash(key, message, 15, to, 1)
  t.is(to.toString('hex'), `00${hashes[15]}00`)
})

test('takes keys of 16 bytes alone', t => {
  t.throws(() => sipHash(Buffer.alloc(8), Buffer.alloc(0)), { message: /16 bytes/ })
})
