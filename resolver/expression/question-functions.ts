/** What an expression may ask of a question. Names and types are CoreDNS's: ports are strings there, ids are numbers. */
import { protocolOf, type Query } from '../query.ts'
import { className, typeName } from '../wire/codes.ts'
import { PLAIN_UDP_SIZE } from '../wire/edns.ts'
import type { ExpressionFunction, Functions } from './function.ts'
import type { TypedString } from './typed.ts'

const string = (of: (query: Query) => string): ExpressionFunction => ({
  parameters: [],
  make: place => ({ place, type: 'string', of: ({ query }) => of(query) }),
})
const number = (of: (query: Query) => number): ExpressionFunction => ({
  parameters: [],
  make: place => ({ place, type: 'number', of: ({ query }) => of(query) }),
})
const boolean = (of: (query: Query) => boolean): ExpressionFunction => ({
  parameters: [],
  make: place => ({ place, type: 'boolean', of: ({ query }) => of(query) }),
})

/** What the client takes in a reply, in bytes (RFC 6891 §6.2.3: less than 512 counts as 512). */
const replySize = ({ edns, transport }: Query): number =>
  transport === 'udp' ? Math.max(PLAIN_UDP_SIZE, edns?.udpSize ?? 0) : 65_535

/** RFC 1035 §4.1.1: four bits of the third byte. */
const opcodeOf = ({ packet }: Query): number => ((packet[2] ?? 0) >> 3) & 0xf

/** Those whose values rest on the question alone: its name, type and class. */
export const questionFunctions: Functions = new Map([
  ['class', string(({ question }) => className(question.class))],
  ['name', string(({ question }) => question.canonicalName)],
  ['type', string(({ question }) => typeName(question.type))],
])

/** Those whose values are another's at the next question, though it asks the same. */
export const messageFunctions: Functions = new Map<string, ExpressionFunction>([
  ['bufsize', number(replySize)],
  ['client_ip', string(({ client }) => client.address)],
  ['do', boolean(({ edns }) => edns?.dnssecOk ?? false)],
  ['id', number(({ id }) => id)],
  ['opcode', number(opcodeOf)],
  ['port', string(({ client }) => String(client.port))],
  ['proto', string(({ transport }) => protocolOf(transport))],
  ['server_ip', string(({ local }) => local.address)],
  ['server_port', string(({ local }) => String(local.port))],
  ['size', number(({ packet }) => packet.length)],
  [
    'metadata',
    {
      parameters: ['KEY'],
      make: (place, values) => {
        const [key] = values as readonly [TypedString]
        return { place, type: 'string', of: subject => subject.metadata().get(key.of(subject)) ?? '' }
      },
    },
  ],
])
