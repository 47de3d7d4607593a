/** The memo and the readable path say the same, whatever the cluster, the question and what happened in between. */
import test from 'ava'
import fc from 'fast-check'
import { recordTypes } from '#resolver/wire/codes.ts'
import { applyChange, type ClusterChange, changes, existing, probes } from '../resolver/zone/cluster-model.ts'
import {
  isReadable,
  Memoised,
  packetOf,
  sameBytes,
  sameRecords,
  spell,
  type Variant,
  variant,
} from '../support/memoised.ts'
import { StaticCluster } from '../support/static-cluster.ts'

const types = [recordTypes.A, recordTypes.AAAA, recordTypes.SRV, recordTypes.PTR, recordTypes.TXT]

let strangers = 0

/** Names that nobody has asked for, as search lists make them. */
const unseen = (): string[] =>
  ['red.svc', 'blue.svc', 'green.svc', 'com', 'svc', 'dns', 'dns-version', 'red.pod', 'hostmaster'].flatMap(suffix => {
    const stranger = `n${strangers++}.${suffix}.cluster.local.`
    return [stranger, `www.${stranger}`, `a.b.www.${stranger}`, `_http._tcp.${stranger}`, `${suffix}.cluster.local.`]
  })

/** Asks for every name that there is and some beside them; the memo's replies must be those of the readable path. */
const compare = (memoised: Memoised, names: ReadonlySet<string>, ask: Variant, same: typeof sameBytes): void => {
  for (const name of [...names, ...unseen()]) {
    for (const type of types) {
      const packet = packetOf(name, type, ask)
      const hit = memoised.find(packet)
      const reply = memoised.ask(packet)
      if (!Buffer.isBuffer(reply)) {
        if (hit || isReadable(ask)) throw new Error(`${spell(name, ask.upper)} ${type}: no answer at once`)
      } else if (hit && !same(hit, reply))
        throw new Error(`${spell(name, ask.upper)} ${type}\n${hit.toString('hex')}\n${reply.toString('hex')}`)
    }
  }
}

const block = (lines: string): string =>
  `.:53 {\n kubernetes cluster.local set.local in-addr.arpa ip6.arpa {\n${lines}\n }\n`

const corefiles = {
  'the cluster’s zones': [`${block('pods insecure')} }`, sameBytes],
  'pods by their address, clusters of a set, no empty services': [
    `${block('pods verified\nmulticluster set.local\nignore empty_service')} }`,
    sameBytes,
  ],
  'what kubeadm has': [`errors\n`, sameRecords],
} as const

const kubeadm = `${block('pods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30')} errors\n cache 30\n loadbalance\n prometheus 127.0.0.1:0\n }`

for (const [title, [text, same]] of Object.entries(corefiles)) {
  test(`the same as the readable path, through all changes: ${title}`, async t => {
    let hits = 0
    const property = fc.asyncProperty(
      changes,
      fc.array(variant, { minLength: 1, maxLength: 3 }),
      async (list, asks) => {
        const cluster = new StaticCluster()
        const memoised = new Memoised(same === sameRecords ? kubeadm : text, cluster)
        await memoised.start()
        for (const [index, change] of (list as ClusterChange[]).entries()) {
          applyChange(cluster, change)
          const names = probes(existing(cluster))
          compare(memoised, names, asks[index % asks.length]!, same)
          memoised.world.clock.advance(400)
        }
        await memoised.configuration.close()
        hits += memoised.hits
      },
    )
    t.timeout(300_000)
    await fc.assert(property, { numRuns: Number(process.env.SEAMARK_RUNS ?? 4), includeErrorInReport: true })
    t.true(hits > 1000, `${hits} hits`)
    t.log(`${hits} replies of the memo compared`)
  })
}
