import test from 'ava'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

test('a failure with its steps and bytes; no word of a success', async t => {
  const world = testWorld()
  const lines = ' debug\n acl {\n allow net 192.0.2.0/24\n }\n erratic {\n drop 0\n }'
  const configuration = configure(`. {\n${lines}\n}`, world)
  await ask(configuration, 'a.')
  t.deepEqual(world.lines, [])
  const reply = await ask(configuration, 'www.example.org.', { type: 15 })
  t.is(reply?.rcode, 2)
  t.deepEqual(world.lines.slice(0, 4), [
    '[DEBUG] plugin/debug: www.example.org. MX failed',
    '[DEBUG] plugin/debug: acl: asked',
    '[DEBUG] plugin/debug: acl: a line is for this question {"action":"allow"}',
    '[DEBUG] plugin/debug: erratic: asked',
  ])
  t.deepEqual(world.lines.slice(4, 7), [
    'debug: 000000 12 67 01 00 00 01 00 00 00 00 00 00 03 77 77 77',
    'debug: 000010 07 65 78 61 6d 70 6c 65 03 6f 72 67 00 00 0f 00',
    'debug: 000020 01',
  ])
  t.regex(world.lines[7] ?? '', /^debug: 000000 12 67 81 02 /)
})

test('takes no words', t => {
  t.regex(problemsOf('. {\n debug all\n}')[0] ?? '', /one word too many/)
})
