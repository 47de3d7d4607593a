/**
 * The same questions to this server and to a real dnsmasq, which serves a hosts file made of the same objects and has the
 * same upstream. Every difference between the replies has its reason in a table (dnsmasq-differences.ts); one that has none
 * is a failure, and so is a reason that explains nothing any more.
 */
import test, { type ExecutionContext } from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { nameData, txtData } from '#resolver/wire/rdata.ts'
import { configure, testWorld } from '../support/dns-environment.ts'
import { startServer } from '../support/dns-server.ts'
import { startDnsmasq } from '../support/dnsmasq.ts'
import { staticSource } from '../support/static-cluster.ts'
import { aRecord, type StubReply, soaRecord, startUpstream } from '../support/upstream.ts'
import { compare, reasons, UPSTREAM_TTL } from './dnsmasq-differences.ts'
import { dnsmasqLines, hosts, manifests } from './dnsmasq-objects.ts'
import { forwardedGroups, localGroups, type Question } from './dnsmasq-questions.ts'
import { exchange } from './exchange.ts'

const { A, AAAA, CNAME, MX, TXT } = recordTypes
const TTL = UPSTREAM_TTL

/** What the upstream of both says. */
const upstreamReply = (name: string, type: number): StubReply => {
  const alias = (owner: string, target: string) => ({
    name: owner,
    type: CNAME,
    class: 1,
    ttl: TTL,
    data: nameData.encode(target),
  })
  const denial = { authority: [soaRecord('example.org.', TTL, TTL)] }
  const addresses = (owner: string, count: number) =>
    Array.from({ length: count }, (_, index) => aRecord(owner, TTL, `192.0.2.${index + 1}`))
  const onlyA: Readonly<Record<string, readonly ReturnType<typeof aRecord>[]>> = {
    'a.example.org.': addresses(name, 1),
    'both.example.org.': addresses(name, 2),
    'crowd.example.org.': addresses(name, 90),
    'alias.example.org.': [alias(name, 'a.example.org.'), ...addresses('a.example.org.', 1)],
    'long-alias.example.org.': [
      alias(name, 'alias.example.org.'),
      alias('alias.example.org.', 'a.example.org.'),
      ...addresses('a.example.org.', 1),
    ],
  }
  const found = onlyA[name]
  if (found) {
    if (type === A) return { answers: found }
    const chain = found.filter(record => record.type === CNAME)
    return { answers: chain, ...denial }
  }
  switch (name) {
    case 'gone.example.org.':
      return { rcode: rcodes.NXDOMAIN, ...denial }
    case 'dangling.example.org.':
      return { rcode: rcodes.NXDOMAIN, answers: [alias(name, 'gone.example.org.')], ...denial }
    case 'failing.example.org.':
      return { rcode: rcodes.SERVFAIL }
    case 'refused.example.org.':
      return { rcode: rcodes.REFUSED }
    case 'text.example.org.':
      if (type !== TXT) return denial
      return { answers: [{ name, type, class: 1, ttl: TTL, data: txtData.encode([Buffer.from('words')]) }] }
    case 'mail.example.org.': {
      if (type !== MX) return denial
      const data = Buffer.concat([Buffer.from([0, 10]), nameData.encode('a.example.org.')])
      return { answers: [{ name, type, class: 1, ttl: TTL, data }], additional: addresses('a.example.org.', 1) }
    }
    default:
      return type === AAAA || type === A || type === TXT || type === MX ? denial : { rcode: rcodes.NXDOMAIN, ...denial }
  }
}

const BATCH = 25

const repliesTo = async (questions: readonly Question[], port: number): Promise<(Buffer | undefined)[]> => {
  const replies: (Buffer | undefined)[] = []
  for (let at = 0; at < questions.length; ) {
    const { transport } = questions[at]!
    let end = at
    while (end < questions.length && end - at < BATCH && questions[end]!.transport === transport) end++
    const packets = questions.slice(at, end).map(({ packet }) => packet)
    replies.push(...(await exchange(packets, { port, transport, silence: false })))
    at = end
  }
  return replies
}

interface Rivals {
  /** Ports of 127.0.0.1, UDP and TCP. */
  readonly ours: number
  readonly theirs: number
}

interface Rivalry {
  /** Of the server block. */
  readonly directives: readonly string[]
  readonly lines: readonly string[]
}

const kubernetes = 'kubernetes cluster.local 10.0.0.0/8 fd00::/8'

/** Both servers, with the same data. Undefined: there is no dnsmasq, and the test is over. */
const startRivals = async (t: ExecutionContext, { directives, lines }: Rivalry): Promise<Rivals | undefined> => {
  const theirs = await startDnsmasq(t, { hosts, lines: [...dnsmasqLines, ...lines] })
  if (theirs === undefined) return undefined
  const corefile = `. {\n${['chaos', kubernetes, ...directives].join('\n')}\n}`
  const configuration = configure(corefile, testWorld({ cluster: staticSource(manifests) }))
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const listeners = [{ address: { host: '127.0.0.1', port: 0 }, server: configuration.listeners[0]!.server }]
  const { port: ours } = await startServer(t, { responder: configuration.responder, listeners })
  return { ours, theirs }
}

/** Which reasons were needed, over both tests; a skipped test needs none. */
const used = new Map<string, number>()

/** The differences that have no reason. */
const unexplained = async (
  t: ExecutionContext,
  { ours, theirs }: Rivals,
  groups: Readonly<Record<string, () => Question[]>>,
): Promise<readonly string[]> => {
  const found: string[] = []
  for (const [group, make] of Object.entries(groups)) {
    const questions = make()
    const [own, other] = [await repliesTo(questions, ours), await repliesTo(questions, theirs)]
    let same = 0
    for (const [index, question] of questions.entries()) {
      const differences = compare({ question, ours: own[index], theirs: other[index] })
      if (!differences.some(({ aspect }) => aspect === 'rcode' || aspect === 'answer')) same++
      for (const { reason, text } of differences) {
        if (reason === undefined) found.push(`${group}: ${question.text}: ${text}`)
        else used.set(reason, (used.get(reason) ?? 0) + 1)
      }
    }
    t.log(`${group}: ${questions.length} questions, ${same} with the same RCODE and the same records in the answer`)
  }
  return found
}

test.serial('names of the cluster, asked in many ways: every reply is dnsmasq’s, or differs for a reason', async t => {
  const rivals = await startRivals(t, { directives: [], lines: [] })
  if (rivals) t.deepEqual(await unexplained(t, rivals, localGroups), [])
})

test.serial('names of others, through the same upstream, and class CHAOS: likewise', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ question }) => upstreamReply(question.canonicalName, question.type),
  })
  const rivals = await startRivals(t, {
    directives: ['cache', `forward . ${upstream.target}`],
    lines: [`server=127.0.0.1#${upstream.port}`],
  })
  if (rivals) t.deepEqual(await unexplained(t, rivals, forwardedGroups), [])
})

test.serial('every reason explains something', t => {
  for (const { name, why } of reasons) t.log(`${String(used.get(name) ?? 0).padStart(4)} ${name}: ${why}`)
  const idle = reasons.filter(({ name }) => !used.has(name)).map(({ name }) => name)
  t.deepEqual(used.size > 0 ? idle : [], [])
})
