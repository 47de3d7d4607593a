/** The same zone, the same questions, to NSD and to us: what differs is listed, with its reason. */
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { answerFromZone } from '#resolver/authority/answer.ts'
import { MessageStream } from '#resolver/authority/message-stream.ts'
import type { AuthorityZone } from '#resolver/authority/zone.ts'
import type { Answer } from '#resolver/verdict.ts'
import { rcodeName, recordTypes, typeName } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { isSubdomain, joinName, parentName } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { makeZone, variedZone } from '../../support/authority-zone.ts'
import { makeQuery } from '../../support/dns-environment.ts'
import { startNsd } from '../../support/nsd.ts'
import { signZone } from '../../support/sign-zone.ts'

const { A, AAAA, NS, SOA, MX, TXT, SRV, CNAME, DNAME, DS, HTTPS } = recordTypes
const { DNSKEY, NSEC, NSEC3PARAM, RRSIG } = recordTypes

const sectionText = (records: readonly ResourceRecord[]): string[] =>
  records.map(record => recordToText({ ...record, name: record.name.toLowerCase() }).replace(/Mail/g, 'mail')).sort()

/** NSD adds addresses of the zone's servers to every answer that names them; we to those that are about them. */
const isServerAddress = (answer: Answer) => {
  const isReferral =
    !answer.authoritative || answer.authority.some(({ name, type }) => type === NS && name !== 'example.')
  const names = isReferral
    ? []
    : answer.authority.filter(({ type }) => type === NS).map(({ data }) => nameData.decode(data))
  return (record: ResourceRecord) => names.includes(record.name)
}

const describe = (answer: Answer) => ({
  rcode: rcodeName(answer.rcode),
  authoritative: answer.authoritative,
  answer: sectionText(answer.answers),
  authority: sectionText(answer.authority),
  additional: sectionText(answer.additional.filter(record => !isServerAddress(answer)(record))),
})

const types = [A, AAAA, NS, SOA, MX, TXT, SRV, CNAME, DNAME, DS, HTTPS]
/** Those that only signed zones have, at their names. */
const signedTypes = [DNSKEY, NSEC, NSEC3PARAM, RRSIG]

/** Names that are there, that are not, and that wildcards stand for. */
const namesOf = (zone: AuthorityZone): ReadonlySet<string> => {
  const owners = new Set<string>()
  for (const { name } of zone.recordsBesideSoa()) {
    // Hashes are no names (RFC 5155 §7.2.8), as a test of its own has it.
    if (/^[0-9a-v]{32}\./.test(name)) continue
    for (let at: string | undefined = name; at !== undefined && at !== '.'; at = parentName(at)) {
      owners.add(at)
      owners.add(joinName(['x'], at))
      owners.add(joinName(['*'], at))
      owners.add(joinName(['x', 'y'], at))
    }
  }
  return owners
}

type Described = ReturnType<typeof describe>

/** Where NSD's proofs are not what the RFCs ask for, what we leave out or add must be all that differs. */
const compareProofs = (t: ExecutionContext, ours: Described, theirs: Described, name: string): Described => {
  const isDenial = ours.answer.length === 0 && ours.authority.some(line => / NSEC3 /.test(line))
  // RFC 5155 §7.2.3: for a name that is there its own NSEC3 is enough; NSD treats the name of a wildcard as one that a
  // wildcard stands for, and proves more.
  const provesMore = name.startsWith('*.') && isDenial
  // RFC 4035 §3.1.3.2: that the name is not there, and no wildcard; NSD proves the wildcard alone behind a DNAME.
  const provesLess = ours.rcode === 'NXDOMAIN' && ours.answer.some(line => / DNAME /.test(line))
  if (provesMore) t.true(ours.authority.every(line => theirs.authority.includes(line)))
  if (provesLess) t.true(theirs.authority.every(line => ours.authority.includes(line)))
  return provesMore || provesLess ? { ...ours, authority: theirs.authority } : ours
}

const compare = async (t: ExecutionContext, text: string, dnssecOk: boolean): Promise<void> => {
  const nsd = await startNsd(t, text)
  if (!nsd) return
  const { port } = nsd
  const zone = await makeZone(text)
  const edns = dnssecOk ? { udpSize: 1232, dnssecOk, options: [] } : undefined
  const asked = dnssecOk ? [...types, ...signedTypes] : types
  const { signal } = new AbortController()
  const stream = new MessageStream({ address: '127.0.0.1', port, timeout: 60_000, clock: systemClock, signal })
  t.teardown(() => stream.close())
  let count = 0
  for (const [name, type] of [...namesOf(zone)].flatMap(each => asked.map(type => [each, type] as const))) {
    stream.send(encodeQuery({ id: 7, name, type, recursionDesired: false, edns }))
    const reply = decodeResponse(await stream.next())
    if (!reply.ok) throw new Error(reply.problem)
    const { question } = makeQuery(name, { type })
    const holds = (each: string) => isSubdomain(each, 'example.')
    const { answer } = answerFromZone(zone, question, { holds, dnssecOk })
    // RFC 9460 §4.2: the addresses of a service's target SHOULD be there; NSD leaves them out.
    const isService = answer.answers.some(record => record.type === HTTPS)
    const ours = describe(isService ? { ...answer, additional: [] } : answer)
    const theirs = describe(reply.value)
    t.deepEqual(compareProofs(t, ours, theirs, name), theirs, `${name} ${typeName(type)}`)
    count++
  }
  t.log(`${count} questions`)
  t.true(count > 1000)
}

test('answers are those of NSD', t => compare(t, variedZone, false))

const chains: Readonly<Record<string, readonly string[]>> = {
  NSEC: [],
  'NSEC3 as RFC 9276 wants it': ['-n', '-t', '0'],
  'NSEC3 with salt, rounds and Opt-Out': ['-n', '-t', '3', '-s', 'cafe', '-p'],
}

for (const [chain, options] of Object.entries(chains)) {
  test(`answers of a zone that is signed with ${chain} are those of NSD`, async t => {
    const text = await signZone(t, variedZone, options)
    if (text !== undefined) await compare(t, text, true)
  })
}
