/**
 * The memo of finished replies (server/answers.hot.ts) before the readable path: packets one after the other, with changes
 * of the cluster between them. For each, the memo has no reply or the very bytes of the readable path.
 *
 * An input: for each packet what happens before it and over what it comes (6 and 2 bits), its length (2 bytes), its bytes.
 */
import assert from 'node:assert'
import { createRegistry } from '#lib/metrics.ts'
import type { Configuration } from '#resolver/configuration.ts'
import { EVERYTHING, type Memo } from '#resolver/memo.ts'
import type { Transport } from '#resolver/query.ts'
import { newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import { clientBytes } from '#resolver/zone/address.ts'
import { Answers } from '#server/answers.hot.ts'
import { MainMemo } from '#server/main-memo.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { caseObjects } from '../../conformance/cases.ts'
import { configure, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import type { SeededNumbers } from '../../support/malformed-packets.ts'
import { requestContext } from '../../support/query-packet.ts'
import { type Manifest, StaticCluster } from '../../support/static-cluster.ts'
import { mutated } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'
import { messageWords, randomQuery } from '../words.ts'

const corefile = `
.:53 {
  errors
  kubernetes cluster.local clusterset.local deep.red.cluster.local in-addr.arpa ip6.arpa {
    pods verified
    zonal
    multicluster clusterset.local
    fallthrough in-addr.arpa low.blue.cluster.local
  }
}
sub.green.cluster.local:53 {
  template ANY ANY {
    rcode REFUSED
  }
}
`

const service = (namespace: string, name: string, ip: string): Manifest => ({
  kind: 'Service',
  metadata: { namespace, name },
  spec: { type: 'ClusterIP', clusterIP: ip, clusterIPs: [ip], ports: [{ name: 'berth', port: 80, protocol: 'TCP' }] },
})

/** What may come and go between two packets. */
const passing: readonly Manifest[] = [
  service('harbor', 'x', '172.27.99.1'),
  service('harbor', 'tcp', '172.27.99.2'),
  service('svc', 'harbor', '172.27.99.3'),
  { kind: 'Namespace', metadata: { name: 'svc' } },
  { kind: 'Namespace', metadata: { name: 'cluster' } },
  service('cluster', 'x', '172.27.99.4'),
]

const PLACES = { input: 5, output: 3 }
const SPACE = 1
const BUDGET = 64 * 1024
/** Of one input: the longest chain of packets that is told apart. */
const MOST_PACKETS = 12

const CLIENT = clientBytes(requestContext().client.address)

let world: TestWorld
let configuration: Configuration
let cluster: StaticCluster
/** As a worker makes them. */
let cookies: ServerCookies

let mainMemo: MainMemo

/** As a worker's, and as the main thread's. */
const transports: readonly Transport[] = ['udp', 'tcp', 'tls', 'https']

interface Step {
  readonly change: number
  readonly packet: Buffer
}

const readSteps = (input: Buffer): Step[] => {
  const steps: Step[] = []
  for (let at = 0; at + 3 <= input.length && steps.length < MOST_PACKETS; ) {
    const end = Math.min(input.length, at + 3 + input.readUInt16BE(at + 1))
    steps.push({ change: input[at]!, packet: input.subarray(at + 3, end) })
    at = end
  }
  return steps
}

const writeSteps = (steps: readonly Step[]): Buffer =>
  Buffer.concat(
    steps.flatMap(({ change, packet }) => [Buffer.of(change, packet.length >> 8, packet.length & 0xff), packet]),
  )

const output = Buffer.alloc(PLACES.output + 4096)

/** As in a worker: not at the front, with what was there before behind it. */
const find = (answers: Answers, packet: Buffer): Buffer | undefined => {
  const input = Buffer.concat([Buffer.alloc(PLACES.input, 0xff), packet, Buffer.from('0000010001', 'hex')])
  const { length } = packet
  const found = answers.find(SPACE, input, PLACES.input, length, output, PLACES.output, world.clock.monotonic())
  const { cookieAt, askedCookieAt, askedCookieLength } = answers
  if (found > 0 && cookieAt > 0) cookies.write(input, askedCookieAt, askedCookieLength, CLIENT, 0, 4, output, cookieAt)
  return found === 0 ? undefined : Buffer.from(output.subarray(PLACES.output, PLACES.output + found))
}

const respond = (packet: Buffer): { reply: Buffer | undefined; memo: Memo | undefined } => {
  let memo: Memo | undefined
  const memoise = (kept: Memo): void => {
    memo = kept
  }
  const reply = configuration.responder(Buffer.from(packet), { ...requestContext(), memoise })
  assert(!(reply instanceof Promise), 'nothing here has to be waited for')
  return { reply, memo }
}

const tryStep = (answers: Answers, packet: Buffer): void => {
  const hit = find(answers, packet)
  const { reply, memo } = respond(packet)
  if (hit) assert.equal(hit.toString('hex'), reply?.toString('hex'), 'the memo says something else')
  if (!memo || !reply) return
  answers.keep(SPACE, packet, { ...memo, reply, profile: 0 })
  const again = find(answers, packet)
  if (again) assert.equal(again.toString('hex'), reply.toString('hex'), 'what was just kept is something else')
}

/** The same over a stream: asked twice, the memo of the main thread has it the second time, if it has it at all. */
const tryStream = (packet: Buffer, transport: Transport): void => {
  const context = { ...requestContext(transport), ...(transport !== 'https' && { idleTimeout: 10_000 }) }
  const replies = [mainMemo.before(configuration.responder), configuration.responder].flatMap(respondent =>
    [0, 1].map(() => respondent(Buffer.from(packet), context)),
  )
  const [first, ...others] = replies.map(reply => (Buffer.isBuffer(reply) ? reply.toString('hex') : reply))
  for (const other of others) assert.equal(other, first, `the memo says something else over ${transport}`)
}

/** Questions near the one that was asked before: other letters, flags, labels, types, ends. */
const nearby = (numbers: SeededNumbers, packet: Buffer): Buffer => {
  const changed = Buffer.from(packet)
  if (changed.length < 17) return randomQuery(numbers)
  const label = 1 + Math.min(changed[12]!, 63)
  const nameEnd = Math.max(13, changed.indexOf(0, 12))
  switch (numbers.below(9)) {
    case 0:
      for (let at = 12; at < nameEnd; at++) if (changed[at]! > 0x40 && numbers.below(3) === 0) changed[at]! ^= 0x20
      return changed
    case 1:
      changed[2 + numbers.below(2)]! ^= 1 << numbers.below(8)
      return changed
    case 2: {
      const added = numbers.bytes(1 + numbers.below(20))
      return Buffer.concat([changed.subarray(0, 12), Buffer.of(added.length), added, changed.subarray(12)])
    }
    case 3:
      return Buffer.concat([changed.subarray(0, 12), Buffer.from('\x01x'), changed.subarray(12)])
    case 4:
      return Buffer.concat([changed.subarray(0, 12), changed.subarray(12 + label)])
    case 5:
      if (nameEnd + 3 <= changed.length)
        changed.writeUInt16BE(numbers.pick([1, 2, 6, 12, 16, 28, 33, 65, 255]), nameEnd + 1)
      return changed
    case 6:
      return changed.subarray(0, nameEnd + 1 + numbers.below(6))
    case 7:
      return Buffer.concat([changed, numbers.bytes(1 + numbers.below(12))])
    default:
      changed[13 + numbers.below(Math.max(1, label - 1))] = numbers.below(256)
      return changed
  }
}

export const answersTarget: FuzzTarget = {
  name: 'answers',
  seedForm: 'hex',
  words: messageWords,
  mutate(numbers, input, other) {
    const steps = [...readSteps(input), ...readSteps(other).slice(0, numbers.below(3))]
    for (let left = 1 + numbers.below(5); left > 0; left--) {
      const { packet } = steps.length > 0 ? numbers.pick(steps) : { packet: randomQuery(numbers) }
      const change = (numbers.below(3) === 0 ? numbers.below(64) : 0) | (numbers.below(2) * (numbers.below(4) << 6))
      const ways = [
        () => nearby(numbers, packet),
        () => randomQuery(numbers),
        () => mutated(numbers, packet, messageWords),
      ]
      steps.push({
        change,
        packet: numbers
          .pick([ways[0]!, ...ways])()
          .subarray(0, 600),
      })
    }
    return writeSteps(steps.slice(-MOST_PACKETS))
  },
  async start() {
    cluster = new StaticCluster(caseObjects)
    const { clock, random, ...rest } = testWorld({ cluster: async () => cluster })
    const secret = newCookieSecret(random)
    cookies = new ServerCookies({ clock, secret })
    const { board } = rest
    const metrics = new ServerMetrics(createRegistry())
    mainMemo = new MainMemo({ board, cookies, clock, metrics, budget: BUDGET })
    world = { ...rest, clock, random, cookies: new ServerCookies({ clock, secret }) }
    configuration = configure(corefile, world)
    await configuration.start(AbortSignal.timeout(60_000))
  },
  run(input) {
    const answers = new Answers(world.board.shared, BUDGET)
    // What was kept for the input before is not for this one.
    world.board.changed(EVERYTHING)
    const present = new Set<Manifest>()
    try {
      for (const { change, packet } of readSteps(input)) {
        const transport = transports[change >> 6]!
        const object = (change & 0x3f) === 0 ? undefined : passing[(change & 0x3f) % passing.length]!
        if (object && present.delete(object)) cluster.remove(object)
        else if (object) {
          cluster.apply(object)
          present.add(object)
        }
        if (transport === 'udp') tryStep(answers, packet)
        else tryStream(packet, transport)
      }
    } finally {
      for (const object of present) cluster.remove(object)
    }
  },
  close: () => configuration.close(),
}
