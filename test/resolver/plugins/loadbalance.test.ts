import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Random } from '#lib/random.ts'
import { parseWeights } from '#resolver/loadbalance/weights.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { record } from '../../support/dns-server.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const zone = `$TTL 5
@ SOA ns root 1 2 3 4 5
www A 192.0.2.1
    A 192.0.2.2
    A 192.0.2.3
    A 198.51.100.1
alias CNAME www
mx MX 10 www
   MX 20 alias
`

const serve = async (t: ExecutionContext, directive: string, random: Random = testWorld().random) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'db'), zone)
  const writeWeights = (text: string) => writeFileSync(join(folder, 'weights'), text)
  const world = { ...testWorld(), random }
  const start = async () => {
    const configuration = configure(`example.org {\n loadbalance ${directive}\n file db\n}`, world, folder)
    await configuration.start(new AbortController().signal)
    t.teardown(() => configuration.close())
    return async (name = 'www.example.org.') =>
      (await ask(configuration, name))!.answers.map(each => recordToText(each).split(' ').at(-1))
  }
  return { start, writeWeights, world }
}

/** How often each address comes first when chance takes every value of a hundred in turn. */
const shares = async (t: ExecutionContext, weights: string) => {
  let turn = 0
  const random = { ...testWorld().random, unit: () => (turn % 100) / 100 }
  const { start, writeWeights } = await serve(t, 'weighted weights', random)
  writeWeights(weights)
  const answer = await start()
  const counts: Record<string, number> = {}
  for (; turn < 100; turn++) {
    const [first] = await answer()
    counts[first!] = (counts[first!] ?? 0) + 1
  }
  return counts
}

test('weighted: the first address is chosen by its weight', async t => {
  t.deepEqual(await shares(t, '# weights\n\nWWW.example.org\n192.0.2.1 5\n192.0.2.2 3\n'), {
    '192.0.2.1': 50,
    '192.0.2.2': 30,
    '192.0.2.3': 10,
    '198.51.100.1': 10,
  })
})

test('weighted: the others stay as they were, and aliases in front', async t => {
  const { start, writeWeights } = await serve(t, 'weighted weights', { ...testWorld().random, unit: () => 0.999 })
  writeWeights('www.example.org.\n198.51.100.1 255\n')
  const answer = await start()
  t.deepEqual(await answer('alias.example.org.'), [
    'www.example.org.',
    '198.51.100.1',
    '192.0.2.2',
    '192.0.2.3',
    '192.0.2.1',
  ])
})

test('weighted: the file is read again; a mistake changes nothing', async t => {
  const { start, writeWeights, world } = await serve(t, 'weighted weights {\n reload 10s\n }', {
    ...testWorld().random,
    unit: () => 0.5,
  })
  const answer = await start()
  t.is((await answer())[0], '192.0.2.3')
  writeWeights('www.example.org\n192.0.2.1 200\n')
  const becomes = async (first: string) => {
    while ((await answer())[0] !== first) await world.clock.advance(10_000)
  }
  await becomes('192.0.2.1')
  writeWeights('www.example.org\n192.0.2.1 0\n')
  await world.clock.advance(20_000)
  t.is((await answer())[0], '192.0.2.1')
  writeWeights('www.example.org\n192.0.2.2 200\n')
  await becomes('192.0.2.2')
})

test('prefer: addresses of the networks first, in their order', async t => {
  const { start } = await serve(t, '{\n prefer 198.51.100.0/24 192.0.2.2/31 2001:db8::/32\n }')
  const answer = await start()
  const seen = new Set<string>()
  for (let count = 0; count < 200; count++) {
    const order = await answer()
    t.is(order[0], '198.51.100.1')
    t.is(order[3], '192.0.2.1')
    seen.add(order.join())
  }
  t.is(seen.size, 2)
})

test('weight files', t => {
  for (const [text, problem] of [
    ['192.0.2.1 3', 'line 1: an address before the first name'],
    ['a.example\n192.0.2.1', 'line 2: the address 192.0.2.1 has no weight'],
    ['a.example\n192.0.2.1 256', 'line 2: "256" is not a weight from 1 to 255'],
    ['a.example\n192.0.2.1 3 4', 'line 2: "4" is one word too many'],
    ['a.example\n\nb.example 3', 'line 3: "b.example" is not an address'],
    ['a..example', 'line 1: "a..example" has an empty label'],
  ] as const) {
    const read = parseWeights(text)
    t.is(read.ok ? '' : read.problem, problem)
  }
  const read = parseWeights('a.example\n2001:DB8:0::1 7\n')
  t.is(read.ok && read.value.of(record('A.example. 5 AAAA 2001:db8::1')), 7)
  t.is(read.ok && read.value.of(record('b.example. 5 AAAA 2001:db8::1')), 1)
})

test('mistakes are told', t => {
  const told = (line: string) => problemsOf(`. {\n loadbalance ${line}\n}`)[0]
  t.is(told('weighted'), 'Corefile:2: loadbalance: "weighted" needs the file of weights')
  t.is(told('round_robin x'), 'Corefile:2: loadbalance: "x" is one word too many')
  t.regex(told('least_conn')!, /is not one of round_robin, weighted/)
  t.regex(told('{\n prefer 192.0.2.1\n }')!, /"192.0.2.1" is not a network/)
})

test('limit_answers keeps the first of the order, and aliases', async t => {
  const { start } = await serve(t, '{\n  limit_answers 2\n  prefer 198.51.100.0/24\n }')
  const answer = await start()
  const [nearest, ...others] = await answer()
  t.is(nearest, '198.51.100.1')
  t.is(others.length, 1)
  const [alias, ...addresses] = await answer('alias.example.org.')
  t.is(alias, 'www.example.org.')
  t.is(addresses.length, 2)
  t.is((await answer('mx.example.org.')).length, 0)
  t.regex(problemsOf('.:53 {\n loadbalance {\n  limit_answers 0\n }\n}')[0] ?? '', /1 to 65535/)
})
