/**
 * A headless service with 5,000 endpoints: milliseconds of processor time for an answer, from bytes to bytes. Over TCP, too,
 * a message holds 4,092 of them at most (65,535 bytes).
 */
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { configure, testWorld } from '../../test/support/dns-environment.ts'
import { namespace, service, slice } from '../../test/support/manifests.ts'
import { staticSource } from '../../test/support/static-cluster.ts'

const ENDPOINTS = 5000
const ENDPOINTS_EACH_SLICE = 100
const TURNS = 200

const addresses = Array.from({ length: ENDPOINTS }, (_, index) => `10.244.${index >> 8}.${index & 255}`)

const objects = [
  namespace('shop'),
  service('shop', 'db', { clusterIP: 'None', clusterIPs: ['None'], ports: [{ name: 'http', port: 80 }] }),
  ...Array.from({ length: ENDPOINTS / ENDPOINTS_EACH_SLICE }, (_, index) => {
    const first = index * ENDPOINTS_EACH_SLICE
    const endpoints = addresses.slice(first, first + ENDPOINTS_EACH_SLICE)
    return slice({ namespace: 'shop', service: 'db', name: `db-${index}`, endpoints })
  }),
]

const question = encodeQuery({
  id: 1,
  name: 'db.shop.svc.cluster.local.',
  type: recordTypes.A,
  recursionDesired: true,
  edns: undefined,
})

/** Milliseconds of processor time an answer, and its bytes. */
const measure = async (more: string, transport: 'udp' | 'tcp') => {
  const world = testWorld({ cluster: staticSource(objects) })
  const configuration = configure(`. {\n loadbalance\n ${more}\n kubernetes cluster.local\n}`, world)
  await configuration.start(AbortSignal.timeout(5000))
  const client = { address: '192.0.2.7', port: 40_000 }
  const context = { transport, client, local: { address: '192.0.2.53', port: 53 }, server: 'dns://:53' }
  let bytes = 0
  const answer = async (): Promise<void> => {
    bytes = (await configuration.responder(question, context))!.length
  }
  for (let turn = 0; turn < TURNS / 4; turn++) await answer()
  const start = process.cpuUsage()
  for (let turn = 0; turn < TURNS; turn++) await answer()
  const { user, system } = process.cpuUsage(start)
  const each = (user + system) / 1000 / TURNS
  await configuration.close()
  return { each, bytes }
}

export default {
  name: 'large-answer',
  async run(): Promise<Record<string, number>> {
    const tcp = await measure('', 'tcp')
    const udp = await measure('', 'udp')
    const sample = await measure('sample 15', 'udp')
    return {
      '5000 A over TCP, ms': tcp.each,
      '5000 A over TCP, bytes': tcp.bytes,
      'cut to 512 bytes with TC, ms': udp.each,
      'a sample of 15 over UDP, ms': sample.each,
    }
  },
}
