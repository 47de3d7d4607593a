/** Where this server's replies differ from dnsmasq's, and why. */
import { classes, ednsOptionCodes, opcodes, rcodeName, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { opcodeOf } from '#resolver/wire/header.ts'
import { decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { txtData } from '#resolver/wire/rdata.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import type { Question } from './dnsmasq-questions.ts'

interface Pair {
  readonly question: Question
  readonly ours: ResponseMessage
  readonly theirs: ResponseMessage
}

const aspects = {
  rcode: ({ rcode }: ResponseMessage) => rcodeName(rcode),
  aa: ({ authoritative }: ResponseMessage) => String(authoritative),
  ra: ({ recursionAvailable }: ResponseMessage) => String(recursionAvailable),
  ad: ({ authenticData }: ResponseMessage) => String(authenticData),
  tc: ({ truncated }: ResponseMessage) => String(truncated),
  question: ({ question }: ResponseMessage) => question?.name ?? 'none',
  answer: ({ answers }: ResponseMessage) => linesOf(answers),
  authority: ({ authority }: ResponseMessage) => linesOf(authority),
  additional: ({ additional }: ResponseMessage) => linesOf(additional),
  opt: ({ edns }: ResponseMessage) => (edns ? `${edns.udpSize} v${edns.version} do=${edns.dnssecOk}` : 'none'),
  options: ({ edns }: ResponseMessage) => (edns?.options ?? []).map(({ code }) => code).join(' '),
} as const

type Aspect = keyof typeof aspects

/** TTL of the upstream's records. For dnsmasq time passes, for this server the clock stands still. */
export const UPSTREAM_TTL = 300
const asUnaged = ({ ttl, ...record }: ResourceRecord): ResourceRecord => ({
  ...record,
  ttl: ttl > UPSTREAM_TTL - 60 && ttl <= UPSTREAM_TTL ? UPSTREAM_TTL : ttl,
})

/** In any order: both turn it. */
const linesOf = (records: readonly ResourceRecord[]): string =>
  records
    .map(record => recordToText(asUnaged(record)))
    .sort()
    .join('; ')

interface Reason {
  readonly name: string
  readonly why: string
  readonly explains: (pair: Pair, aspect: Aspect) => boolean
}

const { ANY, NS, SOA, SRV, TXT } = recordTypes
const identity = /^(?:version|authors|copyright)\.bind$/
const counter = /^(?:cachesize|insertions|evictions|misses|hits|auth)\.bind$/

const isOnlySoa = ({ authority }: ResponseMessage): boolean => authority.length === 1 && authority[0]!.type === SOA
const stringOf = ({ answers }: ResponseMessage): string =>
  answers.map(({ data }) => txtData.decode(data).join(' ')).join(' ')
const isChaos = ({ question }: Pair): boolean => question.class === classes.CH

/** The first that explains a difference counts. */
export const reasons: readonly Reason[] = [
  {
    name: 'no recursion of its own zones',
    why: 'dnsmasq sets RA always; here an answer from data at first hand, and a refusal, do not have it',
    explains: ({ ours, theirs }, aspect) =>
      aspect === 'ra' && theirs.recursionAvailable && (ours.authoritative || ours.answers.length === 0),
  },
  {
    name: 'CHAOS is nobody’s zone',
    why: 'dnsmasq sets AA and RA for names of class CH; here neither is',
    explains: (pair, aspect) => isChaos(pair) && (aspect === 'aa' || aspect === 'ra'),
  },
  {
    name: 'denials with authority',
    why: 'RFC 1034 §4.3.1: what is denied of a zone of one’s own has AA; dnsmasq sets it for addresses alone',
    explains: ({ ours, theirs }, aspect) => aspect === 'aa' && ours.authoritative && !theirs.authoritative,
  },
  {
    name: 'SOA in denials',
    why: 'RFC 2308 §3: a denial has the SOA, so that it can be cached; dnsmasq has none for its own and those in its cache',
    explains: ({ ours, theirs }, aspect) =>
      aspect === 'authority' && isOnlySoa(ours) && theirs.authority.length === 0 && isNegative(ours),
  },
  {
    name: 'ANY',
    why: 'RFC 8482 §4.2: a HINFO instead of all records',
    explains: ({ question, ours }, aspect) =>
      question.type === ANY && aspect === 'answer' && linesOf(ours.answers).includes('HINFO "RFC8482"'),
  },
  {
    name: 'SRV of all ports',
    why: 'the name of a service has SRV records of all its ports, as CoreDNS has it',
    explains: ({ question, ours, theirs }, aspect) =>
      question.type === SRV &&
      !question.name.startsWith('_') &&
      (aspect === 'answer' || aspect === 'additional') &&
      ours.answers.length > 0 &&
      theirs.answers.length === 0,
  },
  {
    name: 'spelling of targets',
    why: 'targets have the zone as it was asked for, as CoreDNS has it; dnsmasq spells them as in its file',
    explains: ({ question, ours, theirs }, aspect) =>
      question.type === SRV &&
      (aspect === 'answer' || aspect === 'additional') &&
      aspects[aspect](ours).toLowerCase() === aspects[aspect](theirs).toLowerCase(),
  },
  {
    name: 'a zone has an apex',
    why: 'the cluster’s zone has SOA and NS records; dnsmasq has no zone, only names',
    explains: ({ question, theirs }, aspect) =>
      question.name === 'cluster.local' &&
      (question.type === SOA || question.type === NS) &&
      (aspect === 'answer' || aspect === 'additional') &&
      theirs.answers.length === 0,
  },
  {
    name: 'what fits of a truncated answer',
    why: 'which records fit is left to the server (RFC 2181 §9), and OPT stands in each reply to one with OPT (RFC 6891 §7), which dnsmasq leaves out here',
    explains: ({ ours, theirs }, aspect) =>
      ours.truncated && theirs.truncated && (aspect === 'answer' || (aspect === 'opt' && !theirs.edns)),
  },
  {
    name: 'reasons',
    why: 'RFC 8914: denials and failures say why they are, to clients that send EDNS',
    explains: ({ ours }, aspect) =>
      aspect === 'options' && isNegative(ours) && (ours.edns?.options ?? []).every(({ code }) => code === 15),
  },
  {
    name: 'cookies',
    why: 'RFC 7873: this server has DNS cookies, dnsmasq has none',
    explains: ({ ours }, aspect) =>
      aspect === 'options' && (ours.edns?.options ?? []).some(({ code }) => code === ednsOptionCodes.COOKIE),
  },
  {
    name: 'unknown versions of EDNS',
    why: 'RFC 6891 §6.1.3: BADVERS; dnsmasq answers as if it were version 0',
    explains: ({ ours }) => ours.rcode === rcodes.BADVERS,
  },
  {
    name: 'other classes',
    why: 'this server has data of class IN and CH alone and refuses the others; dnsmasq says that the name is empty there',
    explains: ({ question, ours }) =>
      question.class !== classes.IN && question.class !== classes.CH && ours.rcode === rcodes.REFUSED,
  },
  {
    name: 'other operations',
    why: 'RFC 1035 §4.1.1: NOTIMP is for operations that a server does not have; dnsmasq refuses them',
    explains: ({ question, ours }) => opcodeOf(question.packet) !== opcodes.QUERY && ours.rcode === rcodes.NOTIMP,
  },
  {
    name: 'messages that are no query',
    why: 'RFC 9619: FORMERR for any number of questions but one; dnsmasq refuses them',
    explains: ({ ours }) => ours.rcode === rcodes.FORMERR,
  },
  {
    name: 'who answers',
    why: 'each program tells its own version, authors and copyright, dnsmasq with its `local-ttl`',
    explains: ({ question, ours }, aspect) =>
      aspect === 'answer' && identity.test(question.name) && question.type === TXT && stringOf(ours) !== '',
  },
  {
    name: 'counters',
    why: 'each program counts for itself',
    explains: ({ question, ours, theirs }, aspect) =>
      aspect === 'answer' &&
      counter.test(question.name) &&
      [ours, theirs].every(reply => /^\d+$/.test(stringOf(reply))),
  },
  {
    name: 'questions to the upstream',
    why: 'each program counts for itself',
    explains: ({ question, ours, theirs }, aspect) =>
      aspect === 'answer' &&
      question.name === 'servers.bind' &&
      [ours, theirs].every(reply => /^127\.0\.0\.1#\d+ \d+ \d+$/.test(stringOf(reply))),
  },
  {
    name: 'the machine’s name',
    why: 'RFC 4892 §2.1: hostname.bind and id.server; dnsmasq does not tell them',
    explains: ({ question, ours, theirs }) =>
      /^(?:hostname\.bind|id\.server)$/.test(question.name) &&
      ours.answers.length === 1 &&
      theirs.rcode === rcodes.NOTIMP,
  },
  {
    name: 'unknown names of CHAOS',
    why: 'there is nothing else of class CH: REFUSED, as CoreDNS and BIND have it; dnsmasq says NOTIMP',
    explains: (pair, aspect) =>
      isChaos(pair) && aspect === 'rcode' && pair.ours.rcode === rcodes.REFUSED && pair.theirs.rcode === rcodes.NOTIMP,
  },
]

const isNegative = ({ rcode, answers, question }: ResponseMessage): boolean =>
  rcode !== rcodes.NOERROR || !answers.some(({ type }) => type === question?.type)

export interface Difference {
  readonly aspect: Aspect | 'reply'
  readonly text: string
  /** Undefined: there is none. */
  readonly reason: string | undefined
}

interface Replies {
  readonly question: Question
  readonly ours: Buffer | undefined
  readonly theirs: Buffer | undefined
}

export const compare = ({ question, ours, theirs }: Replies): readonly Difference[] => {
  if (!ours || !theirs)
    return ours === theirs
      ? []
      : [{ aspect: 'reply', text: `only ${ours ? 'this server' : 'dnsmasq'} replies`, reason: undefined }]
  const pair = { question, ours: read(ours), theirs: read(theirs) }
  return (Object.keys(aspects) as Aspect[]).flatMap(aspect => {
    const [own, other] = [aspects[aspect](pair.ours), aspects[aspect](pair.theirs)]
    if (own === other) return []
    const reason = reasons.find(({ explains }) => explains(pair, aspect))?.name
    return [{ aspect, text: `${aspect}: [${own}] instead of [${other}]`, reason }]
  })
}

/** Of a message with several questions, which a response has no business to have, the header alone. */
const read = (packet: Buffer): ResponseMessage => {
  const questions = packet.readUInt16BE(4)
  const readable = questions > 1 ? Buffer.concat([packet.subarray(0, 4), Buffer.alloc(8)]) : packet
  const decoded = decodeResponse(readable)
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value
}
