/** The server as ISC's dig sees it: another implementation of the wire, with its own opinion of what is well-formed. */
import test, { type ExecutionContext } from 'ava'
import type { Responder } from '#resolver/listener.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { addressResponder, record, startServer } from '../support/dns-server.ts'
import { findProgram, skip } from '../support/programs.ts'
import { run } from '../support/run.ts'

const dig = findProgram('dig')

/** What dig prints; it says WARNING or FORMERR where it does not like a reply. */
const askDig = async (t: ExecutionContext, port: number, ...args: string[]): Promise<string> => {
  const { code, stdout } = await run(dig!, ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=60', ...args])
  t.is(code, 0, stdout)
  // That RA is clear is no fault: the cluster's own answers leave it so.
  t.notRegex(stdout.replaceAll(';; WARNING: recursion requested but not available', ''), /warning|malformed|garbage/i)
  return stdout
}

const withDig = (title: string, body: (t: ExecutionContext) => Promise<void>): void =>
  test(title, t => (dig ? body(t) : skip(t, 'dig is not installed')))

withDig('a query over UDP and over TCP, the question’s case kept', async t => {
  const { port } = await startServer(t)
  for (const transport of ['+notcp', '+tcp']) {
    const out = await askDig(t, port, transport, 'My-Svc.Example')
    t.regex(out, /status: NOERROR/)
    t.regex(out, /flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1/)
    t.regex(out, /EDNS: version: 0, flags:; udp: 1232/)
    t.regex(out, /^My-Svc\.Example\.\t+5\tIN\tA\t192\.0\.2\.1$/m)
  }
})

withDig('without EDNS there is no OPT; with DO there is DO', async t => {
  const { port } = await startServer(t)
  t.notRegex(await askDig(t, port, '+noedns', 'a.example'), /EDNS/)
  t.regex(await askDig(t, port, '+dnssec', 'a.example'), /EDNS: version: 0, flags: do; udp: 1232/)
})

withDig('another EDNS version: BADVERS, and dig’s own step down to version 0 succeeds', async t => {
  const { port } = await startServer(t)
  t.regex(await askDig(t, port, '+edns=1', '+noednsnegotiation', 'a.example'), /status: BADVERS/)
  t.regex(await askDig(t, port, '+edns=1', 'a.example'), /status: NOERROR/)
})

withDig('another opcode: NOTIMP', async t => {
  const { port } = await startServer(t)
  t.regex(await askDig(t, port, '+noedns', '+opcode=status', 'a.example'), /opcode: STATUS, status: NOTIMP/)
  t.regex(await askDig(t, port, '+noedns', '+opcode=notify', 'a.example'), /opcode: NOTIFY, status: NOTIMP/)
})

withDig('a truncated answer is asked for again over TCP and is whole there', async t => {
  const { port } = await startServer(t, { responder: addressResponder(1000) })
  const truncated = await askDig(t, port, '+ignore', 'many.example')
  t.regex(truncated, /flags: qr aa tc rd/)
  t.true(Number(/MSG SIZE {2}rcvd: (\d+)/.exec(truncated)?.[1]) <= 1232)
  t.regex(await askDig(t, port, 'many.example'), /flags: qr aa rd; QUERY: 1, ANSWER: 1000/)
})

withDig('two queries over one connection', async t => {
  const { port } = await startServer(t)
  const out = await askDig(t, port, '+tcp', '+keepopen', 'a.example', 'b.example')
  t.is(out.match(/status: NOERROR/g)?.length, 2)
})

const zone: Responder = (packet, context) => {
  const decoded = decodeQuery(packet, context, 0)
  if (decoded.verdict !== 'query') return undefined
  const answers = [
    'a.example. 5 CNAME b.EXAMPLE.',
    '_https._tcp.example. 5 SRV 0 100 443 host.example.',
    'example. 5 MX 10 mail.example.',
    'example. 5 TXT "one \\"two\\"" "three"',
    'example. 5 HINFO "ANY obsoleted" "See RFC 8482"',
    'host.example. 5 AAAA fd00::1',
    '1.0.0.10.in-addr.arpa. 5 PTR host.example.',
    'odd\\.name.example. 5 TYPE65280 \\# 3 C0FFEE',
  ].map(record)
  const authority = [record('example. 5 SOA ns.example. root.example. 1 7200 1800 86400 5')]
  const extendedErrors = [{ code: 14, text: 'watch caches are not synced' }]
  return encodeAnswer(decoded.query, emptyAnswer(0, { answers, authority, extendedErrors }))
}

withDig('every kind of record, compressed, is what dig prints', async t => {
  const { port } = await startServer(t, { responder: zone })
  const out = (await askDig(t, port, 'A.example')).replaceAll(/[\t ]+/g, ' ')
  for (const line of [
    'a.example. 5 IN CNAME b.EXAMPLE.',
    '_https._tcp.example. 5 IN SRV 0 100 443 host.example.',
    'example. 5 IN MX 10 mail.example.',
    'example. 5 IN TXT "one \\"two\\"" "three"',
    'example. 5 IN HINFO "ANY obsoleted" "See RFC 8482"',
    'host.example. 5 IN AAAA fd00::1',
    '1.0.0.10.in-addr.arpa. 5 IN PTR host.example.',
    'odd\\.name.example. 5 IN TYPE65280 \\# 3 C0FFEE',
    'example. 5 IN SOA ns.example. root.example. 1 7200 1800 86400 5',
    '; EDE: 14 (Not Ready): (watch caches are not synced)',
  ]) {
    t.true(out.split('\n').includes(line), `${line}\nis missing in\n${out}`)
  }
})
