import type { IncomingHttpHeaders } from 'node:http'
import test from 'ava'
import fc from 'fast-check'
import { typeName } from '#resolver/wire/codes.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { type HttpReading, readRequest } from '#server/https/request.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'

const packet = queryPacket('example.org.')
const encoded = packet.toString('base64url')
const message = `/dns-query?dns=${encoded}`
/** The RFC's own example (§4.1.1): www.example.com, A. */
const rfcExample = '/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB'
const post = { 'content-type': 'application/dns-message' }
const response = queryPacket('example.org.')
response[2]! |= 0x80

const LIMIT = 512

type Case = readonly [target: string, expected: number | string, method?: string, headers?: IncomingHttpHeaders]

const cases: Record<string, Case> = {
  'a message': [message, 'message example.org. A'],
  'the example of RFC 8484 §4.1.1': [rfcExample, 'message www.example.com. A'],
  'HEAD, which is GET (RFC 9110 §9.3.2)': [message, 'message example.org. A', 'HEAD'],
  'parameters that nobody knows': [`/dns-query?x=1&dns=${encoded}&y=%`, 'message example.org. A'],
  'a message that is taken as anything': [message, 'message example.org. A', 'GET', { accept: '*/*' }],
  'a browser': [message, 'message example.org. A', 'GET', { accept: 'text/html, application/xml;q=0.9, */*;q=0.8' }],
  'a message to one that wants JSON': [message, 406, 'GET', { accept: 'application/dns-json' }],
  'a message to one that wants anything else': [message, 406, 'GET', { accept: 'application/dns-message;q=0, */*' }],
  'no question at all': ['/dns-query', 400],
  'an empty message': ['/dns-query?dns=', 400],
  'base64 that is padded (RFC 8484 §6: must not be)': [`${rfcExample}=`, 400],
  'base64 of the other alphabet': ['/dns-query?dns=AAAB+/AB', 400],
  'two messages': [`${message}&dns=${encoded}`, 400],
  'fewer bytes than a header has': ['/dns-query?dns=AAABAAABAAAAAA', 400],
  'a response': [`/dns-query?dns=${response.toString('base64url')}`, 400],
  'more bytes than a query has': [`/dns-query?dns=${Buffer.alloc(LIMIT + 1).toString('base64url')}`, 414],
  'the absolute form (RFC 9112 §3.2.2)': [`https://dns.example${message}`, 'message example.org. A'],
  'another path in the absolute form': ['http://dns.example', 404],
  'another path': [`/resolve?dns=${encoded}`, 404],
  'a path below': [`/dns-query/?dns=${encoded}`, 404],
  'a method of HTTP': [message, 405, 'DELETE'],
  'a method of nobody': [message, 501, 'BREW'],
  'a body': ['/dns-query', 'body', 'POST', post],
  'a body with parameters of its type': [
    '/dns-query',
    'body',
    'POST',
    { 'content-type': 'Application/DNS-Message; x=y' },
  ],
  'a body of another type': ['/dns-query', 415, 'POST', { 'content-type': 'application/x-www-form-urlencoded' }],
  'a body without a type': ['/dns-query', 415, 'POST'],
  'a body that is compressed': ['/dns-query', 415, 'POST', { ...post, 'content-encoding': 'gzip' }],
  'a body that is too long': ['/dns-query', 413, 'POST', { ...post, 'content-length': String(LIMIT + 1) }],
  'a body whose answer is not wanted': ['/dns-query', 406, 'POST', { ...post, accept: 'text/html' }],
  'JSON: a name': ['/dns-query?name=example.org', 'json example.org. A'],
  'JSON: a type by name': ['/dns-query?name=Example.org.&type=aaaa', 'json Example.org. AAAA'],
  'JSON: a type by number': ['/dns-query?name=example.org&type=65280', 'json example.org. TYPE65280'],
  'JSON: flags': ['/dns-query?name=a&do=1&cd=true', 'json a. A do cd'],
  'JSON: flags that are off': ['/dns-query?name=a&do=false&cd=0', 'json a. A'],
  'JSON: as clients ask for it': ['/dns-query?name=a', 'json a. A', 'GET', { accept: 'application/dns-json' }],
  'JSON: as programs ask for it': ['/dns-query?name=a', 'json a. A', 'GET', { accept: 'application/json' }],
  'JSON: to one that wants messages': ['/dns-query?name=a', 406, 'GET', { accept: 'application/dns-message' }],
  'JSON: the root': ['/dns-query?name=.&type=NS', 'json . NS'],
  'JSON: no name': ['/dns-query?name=&type=A', 400],
  'JSON: a name that is none': ['/dns-query?name=a..b', 400],
  'JSON: a type that is none': ['/dns-query?name=a&type=AAAAA', 400],
  'JSON: a type beyond all': ['/dns-query?name=a&type=65536', 400],
  'JSON: a flag that is none': ['/dns-query?name=a&do=yes', 400],
}

const describeReading = (reading: HttpReading): string => {
  if (reading.from === 'body') return 'body'
  const decoded = decodeQuery(reading.packet, requestContext('https'), 0)
  if (decoded.verdict !== 'query') return decoded.verdict
  const { question, edns, checkingDisabled } = decoded.query
  const words = [reading.form, question.name, typeName(question.type)]
  if (edns?.dnssecOk) words.push('do')
  if (checkingDisabled) words.push('cd')
  return words.join(' ')
}

for (const [about, [target, expected, method = 'GET', headers = {}]] of Object.entries(cases))
  test(about, t => {
    const read = readRequest({ method, target, headers }, LIMIT)
    const seen = read.ok ? describeReading(read.value) : read.problem.status
    t.is(seen, expected)
  })

test('law: whatever is asked, it is a question or has a status; never a throw', t => {
  const word = fc.oneof(fc.string(), fc.constantFrom(...Object.values(cases).map(([target]) => target)))
  const header = fc.option(fc.oneof(fc.string(), fc.constantFrom('application/dns-message', '*/*;q=0')), {
    nil: undefined,
  })
  const method = fc.oneof(fc.constantFrom('GET', 'POST', 'HEAD'), fc.string())
  const parts = fc.array(fc.oneof(fc.constantFrom('/dns-query?', 'dns=', 'name=', '&type=', '&do=', '%'), word))
  const headers = fc.record({ accept: header, 'content-type': header, 'content-length': header })
  fc.assert(
    fc.property(method, parts, headers, (verb, target, given) => {
      const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
      const read = readRequest({ method: verb, target: target.join(''), headers: present }, LIMIT)
      return read.ok || (read.problem.status >= 400 && read.problem.status <= 501)
    }),
    { numRuns: 1000 },
  )
  t.pass()
})
