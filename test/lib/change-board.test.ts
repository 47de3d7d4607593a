import test from 'ava'
import { ChangeBoard, hashByte, hashOf, outside } from '#lib/change-board.ts'

test('a change of a fact is seen through the shared memory, and by nobody who rests on another fact', t => {
  const board = new ChangeBoard()
  const reader = new ChangeBoard(board.shared)
  const [a, b] = ['service a/b', 'service a/c'].map(fact => reader.cellOf(fact)) as [number, number]
  t.not(a, b)
  const before = [reader.version(a), reader.version(b)] as const
  board.changed('service a/b')
  t.not(reader.version(a), before[0])
  t.is(reader.version(b), before[1])
})

test('a flood of what strangers change, or of what lies in the cluster, ends nothing of the other, nor what all rests on', t => {
  const board = new ChangeBoard()
  const services = Array.from({ length: 1000 }, (_, index) => `service team/app-${index}`)
  const strangers = Array.from({ length: 1000 }, (_, index) => outside(`cached 1 0 n${index}.example.com.`))
  const versions = (facts: readonly string[]) => facts.map(fact => board.version(board.cellOf(fact)))
  const before = versions([...services, 'everything', 'reverse'])
  for (let index = 0; index < 200_000; index++) board.changed(outside(`cached 1 0 miss-${index}.example.com.`))
  t.deepEqual(versions([...services, 'everything', 'reverse']), before)
  const then = versions([...strangers, 'everything'])
  for (let index = 0; index < 200_000; index++) board.changed(`service team/other-${index}`)
  t.deepEqual(versions([...strangers, 'everything']), then)
  t.notDeepEqual(versions(services), before.slice(0, services.length))
  board.changed('everything')
  t.notDeepEqual(versions([...strangers, 'everything']), then)
})

test('a value moves on from what was told, and only then', t => {
  const board = new ChangeBoard()
  const cell = board.valueCell('serial')
  t.is(board.valueCell('serial'), cell)
  board.advance(cell, 100)
  board.advance(cell, 100)
  const reader = new ChangeBoard(board.shared)
  t.is(reader.tell(cell), 100)
  board.advance(cell, 90)
  t.is(reader.tell(cell), 101)
  board.advance(cell, 4_000_000_000)
  t.is(reader.tell(cell), 4_000_000_000)
})

test('what exists may exist, what does not mostly may not; names that come and go leave nothing', t => {
  const board = new ChangeBoard()
  const names = Array.from({ length: 10_000 }, (_, index) => `service team/app-${index}`)
  for (const name of names) board.appeared(name)
  t.true(names.every(name => board.mayExist(hashOf(name))))
  const strangers = Array.from({ length: 10_000 }, (_, index) => hashOf(`service team/other-${index}`))
  const mistaken = strangers.filter(hash => board.mayExist(hash)).length
  t.true(mistaken < 300, `${mistaken}`)
  for (const name of names) board.vanished(name)
  t.false(names.some(name => board.mayExist(hashOf(name))))
})

test('beyond its room a counter says "perhaps" for ever', t => {
  const board = new ChangeBoard()
  for (let time = 0; time < 300; time++) board.appeared('a')
  for (let time = 0; time < 300; time++) board.vanished('a')
  t.true(board.mayExist(hashOf('a')))
})

test('a hash goes on byte by byte', t => {
  t.is(hashByte(hashByte(hashOf('service a/'), 0x62), 0x63), hashOf('service a/bc'))
})
