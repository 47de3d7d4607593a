import test from 'ava'
import { isNewerSerial } from '#resolver/wire/serial.ts'

for (const [serial, than, newer] of [
  [1, 0, true],
  [0, 1, false],
  [5, 5, false],
  [0, 0xffffffff, true],
  [0xffffffff, 0, false],
  [0x7fffffff, 0, true],
  [0x80000000, 0, false],
] as const)
  test(`RFC 1982: ${serial} ${newer ? 'comes' : 'does not come'} after ${than}`, t =>
    t.is(isNewerSerial(serial, than), newer))
