/** The state that an earlier life left on disk: all of it is answered from, or none, and nothing in it is a bug. */
import assert from 'node:assert'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { WatchedCluster } from '#resolver/zone/watched-cluster.ts'
import { RestClient } from '#watcher/client.ts'
import { anonymous } from '#watcher/credentials.ts'
import { endpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { namespaceView } from '#watcher/views/namespace.ts'
import { serviceView } from '#watcher/views/service.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import type { SeededNumbers } from '../../support/malformed-packets.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { mutated } from '../mutate.ts'
import { mutateJson } from '../mutate-json.ts'
import { mutateLines } from '../mutate-lines.ts'
import type { FuzzTarget } from '../target.ts'

const SOURCE = 'the source'

/** A question for each way through the zone. */
const names = [
  'web.shop.svc.cluster.local.',
  '_http._tcp.web.shop.svc.cluster.local.',
  'own.shop.svc.cluster.local.',
  'pod-1.own.shop.svc.cluster.local.',
  'out.shop.svc.cluster.local.',
  '192-0-2-9.shop.pod.cluster.local.',
  '10.2.0.192.in-addr.arpa.',
  'nothing.shop.svc.cluster.local.',
]

const Corefile = `. {
  metadata
  log . "{/kubernetes/client-namespace} {/kubernetes/client-label/app}"
  autopath @kubernetes
  kubernetes cluster.local in-addr.arpa {
    pods verified
    endpoint_pod_names
  }
}`

/** The count of the last line is put right, half of the time: nearly every file would be refused for it. */
const mutate = (numbers: SeededNumbers, input: Buffer, other: Buffer): Buffer => {
  const way = numbers.below(4)
  if (way === 0) return mutated(numbers, input, [])
  if (way === 1) return counted(mutateLines(numbers, input, other))
  const lines = input.toString('utf8').split('\n')
  const at = numbers.below(lines.length)
  try {
    lines[at] = JSON.stringify(mutateJson(numbers, JSON.parse(lines[at]!)))
  } catch {
    // What was changed before is no JSON any more.
  }
  const changed = Buffer.from(lines.join('\n'))
  return way === 2 ? changed : counted(changed)
}

const counted = (input: Buffer): Buffer => {
  const lines = input.toString('utf8').trimEnd().split('\n')
  const objects = lines.filter(line => line.startsWith('[')).length
  return Buffer.from([...lines.slice(0, -1), JSON.stringify({ objects }), ''].join('\n'))
}

/** A cluster as it would be kept: the file of all, and one of each kind alone. */
const seeds = (): readonly Buffer[] => {
  const slices = endpointSliceView({ podNames: true, zones: true, hints: true, serving: false })
  const objects = [
    ['namespaces', ['shop', namespaceView.strip(namespace('shop', { tier: 'edge' }))]],
    ['services', ['shop/web', serviceView.strip(service('shop', 'web', '192.0.2.10'))]],
    [
      'services',
      ['shop/out', serviceView.strip(service('shop', 'out', { type: 'ExternalName', externalName: 'a.example' }))],
    ],
    ['services', ['shop/own', serviceView.strip(service('shop', 'own', { clusterIP: 'None' }))]],
    [
      'endpointslices',
      ['shop/own-1', slices.strip(slice({ ...own, endpoints: [{ ...pod, hostname: 'pod-1' }, '192.0.2.8'] }))],
    ],
    ['pods', ['shop', 'pod-1', ['192.0.2.9', 'fd00::9'], false, ['a']]],
  ]
  return [objects, ...objects.map(object => [object])].map(lines => {
    const header = { format: 'seamark snapshot', version: 1, source: SOURCE, cluster: 'uid', time: 0 }
    const texts = [header, ...lines, { objects: lines.length }].map(line => `${JSON.stringify(line)}\n`)
    return Buffer.from(texts.join(''))
  })
}

const own = { namespace: 'shop', service: 'own' }
const pod = { address: '192.0.2.9', podName: 'pod-1' }

let folder: string

/** Nobody is asked: the state on disk is all there is. */
const newClient = (clock: VirtualClock): RestClient =>
  new RestClient({
    access: {
      server: new URL('http://127.0.0.1:1'),
      namespace: 'default',
      authority: async () => undefined,
      insecure: false,
      serverName: undefined,
      credentials: anonymous,
    },
    clock,
    logger: silentLogger,
    userAgent: 'fuzz',
  })

export const snapshotTarget: FuzzTarget = {
  name: 'snapshot',
  seedForm: 'text',
  words: [],
  seeds,
  mutate,
  async start() {
    folder = mkdtempSync(join(tmpdir(), 'seamark-test-'))
  },
  async run(input) {
    const file = join(folder, 'snapshot')
    writeFileSync(file, gzipSync(input, { level: constants.Z_BEST_SPEED }))
    const clock = new VirtualClock()
    const registry = createRegistry()
    const options = { clock, random: systemRandom, logger: silentLogger, registry }
    const answering = new Promise<void>(() => {})
    let cluster: WatchedCluster | undefined
    const world = testWorld({
      registry,
      cluster: async needs => {
        cluster = new WatchedCluster(newClient(clock), needs, { ...options, answering }, { file, source: SOURCE })
        return cluster
      },
    })
    const configuration = configure(Corefile, world)
    await configuration.start(new AbortController().signal)
    for (const name of names) assert(await ask(configuration, name, { client: '192.0.2.9' }), name)
    await configuration.close()
    const panics = await registry.getSingleMetric('coredns_panics_total')!.get()
    assert.equal(panics.values[0]?.value ?? 0, 0, 'a plugin threw')
  },
  async close() {
    rmSync(folder, { recursive: true })
  },
}
