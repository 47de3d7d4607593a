import test from 'ava'
import fc from 'fast-check'
import { decodeValue } from '#cluster/api/decode-value.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { apiVersionOf } from '#cluster/api/object.ts'
import { decodeProtobuf } from '#cluster/api/protobuf/decode.ts'
import { encodeProtobuf, hasProtobuf } from '#cluster/api/protobuf/encode.ts'
import { REVIEWS } from '#cluster/api/reviews.ts'
import { ofType } from '../../../support/arbitrary-object.ts'

/** JSON knows no -0, and what stands as undefined is not there. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

for (const kind of [...KINDS, ...REVIEWS]) {
  test(`law: ${kind.group}/${kind.version} ${kind.kind} comes back from protobuf as it was`, t => {
    t.true(hasProtobuf(kind.type))
    let compared = 0
    fc.assert(
      fc.property(ofType(kind.type, 5), given => {
        const read = decodeValue(given, kind.type)
        if (!read.ok) return
        const identity = { kind: kind.kind, apiVersion: apiVersionOf(kind) }
        const object = encodeObject({ ...read.value.value, ...identity }, kind.type)
        const decoded = decodeProtobuf(encodeProtobuf(object, kind.type))
        if (!decoded.ok) return t.fail(decoded.problem)
        // Lists and maps without members are none to protobuf; the canonical form says the rest.
        t.deepEqual(plain(encodeObject(decoded.value, kind.type)), plain(object))
        compared++
      }),
      { numRuns: 60 },
    )
    t.true(compared > 30)
  })
}
