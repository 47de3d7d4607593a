/**
 * The corpus and a few mutations of it, in every run of the tests; `npm run fuzz` does the same for as long as one wants,
 * guided by what the inputs reach. `FUZZ_SEED` repeats a run.
 */
import test from 'ava'
import { decodeQuery, decodeResponse } from '#resolver/wire/message.ts'
import { SeededNumbers } from '../support/malformed-packets.ts'
import { requestContext } from '../support/query-packet.ts'
import { mutated } from './mutate.ts'
import { type FuzzTarget, seedsOf } from './target.ts'
import { messageTarget } from './targets/message.ts'
import { targets } from './targets.ts'

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 0x1_0000_0000)
const MUTATIONS = 300

const run = async ({ run }: FuzzTarget, input: Buffer, what: string): Promise<void> => {
  try {
    await run(input)
  } catch (error) {
    throw new Error(`${what}, input ${input.toString('hex')}`, { cause: error })
  }
}

for (const target of targets)
  test(`${target.name}: the corpus and mutations of it break no law`, async t => {
    await target.start?.()
    t.teardown(() => target.close?.())
    const seeds = seedsOf(target)
    t.true(seeds.length > 3)
    for (const { name, input } of seeds) await run(target, input, name)
    const numbers = new SeededNumbers(SEED)
    for (let count = 0; count < MUTATIONS; count++) {
      const { input } = numbers.pick(seeds)
      const changed =
        target.mutate?.(numbers, input, numbers.pick(seeds).input) ?? mutated(numbers, input, target.words)
      await run(target, changed, `seed ${SEED}, mutation ${count}`)
    }
  })

for (const { name, input } of seedsOf(messageTarget)) {
  // Their names say what they are.
  if (name.startsWith('crash-')) continue
  test(`corpus: ${name}`, t => {
    t.is(decodeResponse(input).ok, name.startsWith('answer-'))
    t.is(decodeQuery(input, requestContext('tcp'), 0).verdict === 'query', name.startsWith('query-'))
  })
}

test('mutations of messages are understood at times, and at times refused', t => {
  const numbers = new SeededNumbers(SEED)
  const seeds = seedsOf(messageTarget)
  const count = 2000
  let understood = 0
  for (let at = 0; at < count; at++) {
    const packet = messageTarget.mutate!(numbers, numbers.pick(seeds).input, Buffer.alloc(0))
    if (decodeResponse(packet).ok || decodeQuery(packet, requestContext('tcp'), 0).verdict === 'query') understood++
  }
  // Were all refused, or none, the fuzzer would prove nothing.
  t.true(understood > count / 50 && understood < count, `${understood} of ${count}`)
})
