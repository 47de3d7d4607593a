import fc from 'fast-check'

/** But halves of surrogate pairs, which UTF-8 does not have. */
const codePoint = fc.oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10_ffff }))

/** Texts of any characters: fast-check's own (`unit: 'binary'`) first makes a table of all of them, in a second or three. */
export const unicodeText = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(codePoint, { maxLength }).map(points => String.fromCodePoint(...points))
