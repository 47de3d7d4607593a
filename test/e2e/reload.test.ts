/**
 * The Corefile of a running server changes again and again under load: nobody notices but by what it says.
 * `SEAMARK_RELOADS=1000` for the measured aim.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ask } from '../support/dns-client.ts'
import { DnsLoad } from '../support/dns-load.ts'
import { DnsProcess } from '../support/dns-process.ts'
import { freePorts } from '../support/free-port.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { aRecord, startUpstream } from '../support/upstream.ts'

const RELOADS = Number(process.env.SEAMARK_RELOADS ?? 40)
/** Every so many edits is a bad one. */
const BAD = 10

interface Ports {
  readonly dns: number
  readonly moving: number
  readonly extra: number
  readonly metrics: number
}

/** What differs: the address of a name, a listener that comes and goes, one that moves from all addresses to one. */
const corefile = (round: number, ports: Ports, upstream: string): string =>
  `.:${ports.dns} {
    bind 127.0.0.1
    prometheus 127.0.0.1:${ports.metrics}
    hosts /nowhere {
        192.0.2.${round % 200} round.example.org
        fallthrough
    }
    cache 3600
    forward . ${upstream}
}
.:${ports.moving} {
    ${round % 2 === 0 ? 'bind 127.0.0.1' : ''}
    hosts /nowhere {
        192.0.2.1 www.example.org
    }
}
${round % 3 === 0 ? `.:${ports.extra} {\n    bind 127.0.0.1\n    whoami\n}` : ''}
${round % BAD === BAD - 1 ? 'nonsense.example {\n    fowrard . 192.0.2.1\n}' : ''}
`

const countOf = (text: string, part: string): number => text.split(part).length - 1

/** Resolves when the condition holds; the test's own deadline ends what never does. */
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 2))
}

test('reloads under load: no query is lost, nothing is asked upstream again, bad edits change nothing', async t => {
  t.timeout(120_000 + RELOADS * 1000)
  const [dns, moving, extra, metrics] = await freePorts(4)
  const ports = { dns: dns!, moving: moving!, extra: extra!, metrics: metrics! }
  const upstream = await startUpstream(t, {
    respond: ({ question }) => ({ answers: [aRecord(question.name, 3600, '192.0.2.7')] }),
  })
  const file = join(temporaryFolder(t), 'Corefile')
  writeFileSync(file, corefile(0, ports, upstream.target))
  const program = new DnsProcess(t, file)
  await program.whenReady()

  const name = 'cached.example.org.'
  await ask({ name, port: ports.dns })
  const before = upstream.queries.length
  const loads = [
    new DnsLoad({ server: () => ({ address: '127.0.0.1', port: ports.dns }), name, rate: 500 }),
    new DnsLoad({ server: () => ({ address: '127.0.0.1', port: ports.moving }), name: 'www.example.org.', rate: 500 }),
  ]
  let [reloaded, refused] = [0, 0]
  for (let round = 1; round <= RELOADS; round++) {
    const isBad = round % BAD === BAD - 1
    if (isBad) refused++
    else reloaded++
    writeFileSync(file, corefile(round, ports, upstream.target))
    program.child.kill('SIGUSR1')
    await until(() => countOf(program.output, 'the Corefile was reloaded') === reloaded)
    await until(() => countOf(program.output, 'the old one stays') === refused)
    const { answers } = await ask({ name: 'round.example.org', port: ports.dns })
    t.is(answers[0]?.data, `192.0.2.${(isBad ? round - 1 : round) % 200}`)
  }
  for (const load of loads) {
    const { lost, wrong, ...asked } = await load.stop()
    t.log(
      `${reloaded} reloads, ${refused} refused: asked ${JSON.stringify(asked)}, lost ${lost.length}, wrong ${wrong}`,
    )
    t.deepEqual(lost, [])
    t.is(wrong, 0)
  }
  t.is(upstream.queries.length, before)
  const page = await (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text()
  t.true(page.includes(`coredns_reload_failed_total ${refused}\n`))
  t.is(await program.stop(), 0)
})
