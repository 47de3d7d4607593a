import test from 'ava'
import { configure, problemsOf } from '../../support/dns-environment.ts'

const timeoutsOf = (corefile: string) => configure(corefile).listeners.map(({ timeouts }) => timeouts)

test('are what the listeners of the block are told, and nothing that was not said', t => {
  t.deepEqual(timeoutsOf('. {\n timeouts {\n read 4s\n write 6s\n idle 1m\n maxtcpqueries 128\n }\n}'), [
    { read: 4000, write: 6000, idle: 60_000, maxQueries: 128 },
  ])
  t.deepEqual(timeoutsOf('. {\n timeouts {\n idle 20s\n maxtcpqueries -1\n }\n}'), [
    { idle: 20_000, maxQueries: Number.POSITIVE_INFINITY },
  ])
  t.deepEqual(timeoutsOf('. {\n timeouts {\n idle 20\n }\n}'), [{ idle: 20_000 }])
  t.deepEqual(timeoutsOf('. {\n whoami\n}'), [undefined])
})

test('the first block of a listener that has them counts', t => {
  const blocks = ['a', 'b', 'c'].map((zone, index) =>
    index === 0 ? `${zone} {\n whoami\n}` : `${zone} {\n timeouts {\n idle ${index}0s\n }\n}`,
  )
  t.deepEqual(timeoutsOf(blocks.join('\n')), [{ idle: 10_000 }])
})

test('tells what is wrong', t => {
  const problem = (line: string) => problemsOf(`. {\n timeouts {\n  ${line}\n }\n}`)[0] ?? ''
  t.regex(problem('reed 3s'), /^Corefile:3: timeouts: unknown property "reed"; did you mean "read"\?/)
  t.regex(problem('read soon'), /"soon" is not a duration/)
  t.regex(problem('read 10ms'), /\(1s to 24h/)
  t.regex(problem('maxtcpqueries 0'), /"0" is not a number of queries/)
  t.regex(problemsOf('. {\n timeouts\n}')[0] ?? '', /needs a line/)
})

test('https has a part of its own: connections', t => {
  const both = '. https://. {\n timeouts {\n idle 20s\n }\n https {\n max_connections 200\n max_streams 7\n }\n}'
  t.deepEqual(timeoutsOf(both)[1], { idle: 20_000, maxHttpsConnections: 200, maxHttpsStreams: 7 })
  const unlimited = timeoutsOf('https://. {\n https {\n max_connections 0\n max_streams 0\n }\n}')
  t.deepEqual(unlimited, [{ maxHttpsConnections: Number.POSITIVE_INFINITY }])
  t.regex(problemsOf('. {\n https {\n max_connections -1\n }\n}')[0] ?? '', /"-1" is not a number of connections/)
  t.regex(problemsOf('. {\n multisocket 1025\n}')[0] ?? '', /"1025" is not a number of sockets \(1 to 1024\)/)
})
