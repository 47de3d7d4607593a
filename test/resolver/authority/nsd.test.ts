/** The same zone, the same questions, to NSD and to us: what differs is listed, with its reason. */
import test from 'ava'
import { answerFromZone } from '#resolver/authority/answer.ts'
import type { Answer } from '#resolver/verdict.ts'
import { rcodeName, recordTypes, typeName } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { isSubdomain, joinName, parentName } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { makeZone, variedZone } from '../../support/authority-zone.ts'
import { exchangeTcp } from '../../support/dns-client.ts'
import { makeQuery } from '../../support/dns-environment.ts'
import { startNsd } from '../../support/nsd.ts'

const { A, AAAA, NS, SOA, MX, TXT, SRV, CNAME, DNAME, DS, HTTPS } = recordTypes

const sectionText = (records: readonly ResourceRecord[]): string[] =>
  records.map(record => recordToText({ ...record, name: record.name.toLowerCase() }).replace(/Mail/g, 'mail')).sort()

/** NSD adds addresses of the zone's servers to every answer that names them; we to those that are about them. */
const isServerAddress = (answer: Answer) => {
  const isReferral = !answer.authoritative || answer.authority.some(({ name }) => name !== 'example.')
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

test('answers are those of NSD', async t => {
  const port = await startNsd(t, variedZone)
  if (port === undefined) return
  const zone = await makeZone(variedZone)
  const owners = new Set<string>()
  for (const { name } of zone.recordsBesideSoa())
    for (let at: string | undefined = name; at !== undefined && at !== '.'; at = parentName(at)) {
      owners.add(at)
      owners.add(joinName(['x'], at))
      owners.add(joinName(['*'], at))
      owners.add(joinName(['x', 'y'], at))
    }
  let count = 0
  for (const name of owners) {
    for (const type of types) {
      const packet = encodeQuery({ id: 7, name, type, recursionDesired: false, edns: undefined })
      const reply = decodeResponse(await exchangeTcp(packet, port))
      if (!reply.ok) throw new Error(reply.problem)
      const { question } = makeQuery(name, { type })
      const { answer } = answerFromZone(zone, question, each => isSubdomain(each, 'example.'))
      // The zone's servers beside the DS of a cut: optional (RFC 1034 §3.7), and NSD leaves them out there.
      const authority = answer.answers[0]?.type === DS ? [] : answer.authority
      // RFC 9460 §4.2: the addresses of a service's target SHOULD be there; NSD leaves them out.
      const isService = answer.answers.some(record => record.type === HTTPS)
      const additional = isService ? [] : answer.additional
      t.deepEqual(describe({ ...answer, authority, additional }), describe(reply.value), `${name} ${typeName(type)}`)
      count++
    }
  }
  t.log(`${count} questions`)
  t.true(count > 1000)
})
