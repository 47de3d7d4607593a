/** Four bytes at a time are the same as one at a time. */
import test from 'ava'
import fc from 'fast-check'
import { copyBytes, lowerCase, lowerCaseByte } from '#server/words.hot.ts'

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

test('the letters of ASCII, and nothing else, are in lower case: in every byte of a word, whatever stands beside it', t => {
  for (let byte = 0; byte < 0x100; byte++) {
    const lower = byte < 0x80 ? String.fromCharCode(byte).toLowerCase().charCodeAt(0) : byte
    t.is(lowerCaseByte(byte), lower)
    for (const others of [0x00, 0x41, 0x5a, 0x7f, 0x80, 0xff])
      for (let at = 0; at < 4; at++) {
        const bytes = new Uint8Array(4).fill(others)
        bytes[at] = byte
        const view = viewOf(bytes)
        view.setInt32(0, lowerCase(view.getInt32(0, true)), true)
        if (bytes[at] !== lower) t.fail(`byte ${byte} at ${at} among ${others}: ${bytes[at]}`)
      }
  }
})

test('what is copied is what was asked for, from anywhere to anywhere, and not a byte more', t => {
  const law = fc.property(
    fc.uint8Array({ minLength: 40, maxLength: 40 }),
    ...([fc.nat(10), fc.nat(10), fc.nat(30)] as const),
    (source, from, to, length) => {
      const target = new Uint8Array(40).fill(0xee)
      const wanted = target.slice()
      wanted.set(source.subarray(from, from + length), to)
      copyBytes(viewOf(source), from, viewOf(target), to, length)
      t.deepEqual(target, wanted)
    },
  )
  t.notThrows(() => fc.assert(law))
})
