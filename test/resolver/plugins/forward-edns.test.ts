/** How `forward` asks servers that know no EDNS. */
import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { headerReply } from '#resolver/wire/header.ts'
import { ask } from '../../support/dns-environment.ts'
import { startConfiguration } from '../../support/forward-world.ts'
import { aRecord, type StubOptions, startUpstream } from '../../support/upstream.ts'

const answering =
  (address: string): StubOptions['respond'] =>
  ({ question }) => ({ answers: [aRecord(question.name, 60, address)] })

test('a server that does not know EDNS is asked without', async t => {
  const upstream = await startUpstream(t, {
    respond: query => {
      if (!query.edns) return answering('192.0.2.3')(query)
      const reply = Buffer.from(query.packet.subarray(0, 12))
      reply.writeUInt16BE(0x8001, 2)
      reply.fill(0, 4)
      return reply
    },
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  t.is((await ask(configuration, 'www.example.org.'))?.answers.length, 1)
  t.is((await ask(configuration, 'www.example.org.'))?.answers.length, 1)
  t.deepEqual(
    upstream.queries.map(({ edns }) => edns !== undefined),
    [true, false, false],
  )
})

test('a question that was sent with EDNS before the server was found not to know it is asked without, too', async t => {
  const sent = Promise.withResolvers<void>()
  const known = Promise.withResolvers<void>()
  const upstream = await startUpstream(t, {
    async respond(query) {
      if (!query.edns) return answering('192.0.2.3')(query)
      if (query.question.canonicalName === 'late.example.') {
        sent.resolve()
        await known.promise
      }
      return headerReply(query.packet, rcodes.FORMERR)
    },
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const late = ask(configuration, 'late.example.')
  await sent.promise
  t.is((await ask(configuration, 'www.example.org.'))?.answers.length, 1)
  known.resolve()
  t.is((await late)?.answers.length, 1)
})

test('a server that says FORMERR or NOTIMP with and without EDNS is asked with EDNS again', async t => {
  const upstream = await startUpstream(t, {
    // Without OPT, as from a server that does not know it.
    respond: ({ packet, question }) =>
      question.type === recordTypes.NAPTR ? headerReply(packet, rcodes.NOTIMP) : { answers: [] },
  })
  const { configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  t.is((await ask(configuration, 'odd.example.', { type: recordTypes.NAPTR }))?.rcode, rcodes.NOTIMP)
  await ask(configuration, 'plain.example.')
  t.deepEqual(
    upstream.queries.map(({ edns }) => edns !== undefined),
    [true, false, true],
  )
})
