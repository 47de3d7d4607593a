/** `cases.json`: objects as client-go 0.35 encodes them, in JSON and in protobuf. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { decodeProtobuf } from '#cluster/api/protobuf/decode.ts'

interface Case {
  readonly json: { readonly kind: string }
  readonly protobuf: string
}

const cases = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8')) as Case[]

/** Without nulls and structs that say nothing, which Go prints and a client may leave out. */
const prune = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(prune)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value)
    .map(([name, member]) => [name, prune(member)] as const)
    .filter(
      ([, member]) => member !== null && !(typeof member === 'object' && Object.keys(member as object).length === 0),
    )
  return Object.fromEntries(kept)
}

for (const { json, protobuf } of cases)
  test(`${json.kind}: protobuf says what JSON says`, t => {
    const decoded = decodeProtobuf(Buffer.from(protobuf, 'base64'))
    t.true(decoded.ok)
    if (decoded.ok) t.deepEqual(prune(decoded.value), prune(json))
  })

test('a pointer to a struct that says nothing is kept: emptyDir', t => {
  const pod = cases.find(({ json }) => json.kind === 'Pod')!
  const decoded = decodeProtobuf(Buffer.from(pod.protobuf, 'base64'))
  const { volumes } = (decoded.ok ? decoded.value.spec : {}) as { volumes: { name: string; emptyDir?: object }[] }
  t.deepEqual(volumes.find(({ name }) => name === 'x')?.emptyDir, {})
})

test('what is no protobuf is told', t => {
  const problem = (bytes: Uint8Array) => {
    const decoded = decodeProtobuf(bytes)
    return decoded.ok ? undefined : decoded.problem
  }
  t.is(
    problem(Buffer.from('{}')),
    'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
  )
  t.is(
    problem(Buffer.alloc(0)),
    'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
  )
  t.is(problem(Buffer.from('k8s\0')), 'no kind "" is registered for version ""')
  const whole = Buffer.from(cases[0]!.protobuf, 'base64')
  t.is(problem(whole.subarray(0, whole.length - 1)), 'unexpected EOF')
})

test('no bytes make it throw, and none pollute prototypes', t => {
  const bodies = cases.map(({ protobuf }) => Buffer.from(protobuf, 'base64'))
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.nat(), fc.nat(255), (body, place, byte) => {
      const changed = Buffer.from(body)
      changed[4 + (place % (changed.length - 4))] = byte
      decodeProtobuf(changed)
    }),
    { numRuns: 3000 },
  )
  t.is(({} as { a?: unknown }).a, undefined)
})
