/**
 * Our protobuf of random objects of every kind, read by Kubernetes's own machinery (test/clients/go/protobuf), and its own
 * read by us. SEAMARK_GO=1 builds it.
 */
import test from 'ava'
import fc from 'fast-check'
import { decodeValue } from '#cluster/api/decode-value.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { apiVersionOf } from '#cluster/api/object.ts'
import { decodeProtobuf } from '#cluster/api/protobuf/decode.ts'
import { encodeProtobuf } from '#cluster/api/protobuf/encode.ts'
import { REVIEWS } from '#cluster/api/reviews.ts'
import { ofType } from '../support/arbitrary-object.ts'
import { goProgram } from '../support/go-program.ts'
import { run } from '../support/run.ts'

const EACH = 40
/** The same objects in each run: what is told of them can be looked at again. */
const SEED = 35

/** Not of client-go's scheme, but of the aggregator's own repository. */
const kinds = [...KINDS, ...REVIEWS].filter(({ group }) => group !== 'apiregistration.k8s.io')

const objects = kinds.flatMap(kind =>
  fc.sample(ofType(kind.type, 5), { numRuns: EACH, seed: SEED }).flatMap(given => {
    const read = decodeValue(given, kind.type)
    if (!read.ok) return []
    const identity = { kind: kind.kind, apiVersion: apiVersionOf(kind) }
    return [{ kind, object: encodeObject({ ...read.value.value, ...identity }, kind.type) }]
  }),
)

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('Kubernetes reads what we write, and we what it writes', async t => {
  const program = await goProgram({ module: 'go', folder: 'protobuf', variable: 'SEAMARK_GO' })
  if ('reason' in program) {
    t.log(`NOT TRIED: ${program.reason}`)
    t.pass()
    return
  }
  const input = objects.map(({ kind, object }) => encodeProtobuf(object, kind.type).toString('base64')).join('\n')
  const { stdout, stderr } = await run(program.path, [], { input: `${input}\n` })
  const answers = stdout.trim().split('\n')
  t.is(answers.length, objects.length, stderr)
  for (const [index, { kind, object }] of objects.entries()) {
    const [text = '', binary = ''] = (answers[index] ?? '').split(' ').map(part => Buffer.from(part, 'base64'))
    t.false(answers[index]?.startsWith('error '), `${kind.kind}: ${binary}`)
    const canonical = (value: Record<string, unknown>) => plain(encodeObject(value, kind.type))
    t.deepEqual(canonical(JSON.parse(text.toString())), plain(object), `${kind.kind} in JSON: ${text}`)
    const decoded = decodeProtobuf(binary as Buffer)
    t.deepEqual(decoded.ok ? canonical(decoded.value) : decoded.problem, plain(object), `${kind.kind} in protobuf`)
  }
  t.true(objects.length > 20 * kinds.length)
})
