import test from 'ava'
import { Memoised, packetOf } from '../support/memoised.ts'
import { StaticCluster } from '../support/static-cluster.ts'

class SilentCluster extends StaticCluster {
  lastHeard = 0
  now = () => 0

  override age(): number {
    return this.now() - this.lastHeard
  }
}

const corefile = '.:53 {\n kubernetes cluster.local\n}\n'
const plain = { id: 1, recursionDesired: true, upper: 0, edns: undefined }
const edns = { ...plain, edns: { udpSize: 1232, dnssecOk: false, options: [] as [] } }

test('when the apiserver is not heard of any more, the memo does not hide that from those who can be told', async t => {
  const cluster = new SilentCluster([{ kind: 'Namespace', metadata: { name: 'shop' } }])
  const memoised = new Memoised(corefile, cluster)
  const { clock } = memoised.world
  cluster.now = () => clock.monotonic()
  await memoised.start()
  const names = ['shop.svc.cluster.local.', 'a.shop.svc.cluster.local.', 'www.example.com.cluster.local.']
  const packets = names.flatMap(name => [packetOf(name, 1, plain), packetOf(name, 1, edns)])
  const compare = () => {
    for (const packet of packets) {
      const hit = memoised.find(packet)
      const reply = memoised.respond(packet)
      if (hit) t.deepEqual(hit, reply)
    }
  }
  for (let second = 0; second < 150; second += 10) {
    // Heard of once more, and again at the end.
    if (second === 30 || second === 120) cluster.lastHeard = clock.monotonic()
    compare()
    await clock.advance(10_000)
  }
  t.true(memoised.hits > packets.length * 8, `${memoised.hits} hits`)
  await memoised.configuration.close()
})
