/** A Corefile with three schemes, served whole: options of EDNS, labels of metrics, a reload, a new certificate. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { readCorefile } from '#cmd/corefile.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { LiveConfiguration } from '#resolver/reload.ts'
import { decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import { aData } from '#resolver/wire/rdata.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { makeAuthority, writeCertificate } from '../support/certificates.ts'
import { exchangeOver, exchangeTcp, exchangeUdp } from '../support/dns-client.ts'
import { PATIENCE } from '../support/dns-server.ts'
import { queryPacket } from '../support/query-packet.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const authority = await makeAuthority()

const corefile = (address: string): string => `.:0 tls://.:0 https://.:0 {
  bind 127.0.0.1
  tls cert.pem key.pem
  hosts /nowhere {
    ${address} a.example
  }
  prometheus 127.0.0.1:0
}
`

const serve = async (t: ExecutionContext) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'Corefile')
  writeFileSync(file, corefile('192.0.2.1'))
  writeCertificate(folder, await authority.server('first.example'))
  const registry = createRegistry()
  const base = { clock: systemClock, logger: silentLogger, registry }
  const live: LiveConfiguration = new LiveConfiguration({
    ...base,
    load: requestReload => readCorefile(file, { ...base, overrides: {}, requestReload }),
    converge: (listeners, endpoints) => server.converge(listeners, endpoints),
  })
  const options = readOptions(serverOptions, PATIENCE)
  if (!options.ok) throw new Error(options.problem)
  const server = new Server(live.respond, { ...base, options: options.value })
  t.teardown(async () => {
    await server.close()
    await live.close()
  })
  t.deepEqual(await live.start(), { outcome: 'reloaded' })
  const ports = () => {
    const { dns } = server.addresses()
    const portOf = (key: string) => dns.get(`${key}127.0.0.1:0`)?.port ?? 0
    return { dns: portOf(''), tls: portOf('tls://'), https: portOf('https://') }
  }
  return { folder, file, live, registry, ports }
}

const dial = async (t: ExecutionContext, port: number): Promise<TLSSocket> => {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.ca, ALPNProtocols: ['dot'] })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  // Resets show as 'close'.
  socket.on('error', () => {})
  return socket
}

const exchangeHttps = async (packet: Buffer, port: number): Promise<Buffer> => {
  const path = `/dns-query?dns=${packet.toString('base64url')}`
  const asking = request({ host: '127.0.0.1', port, path, ca: authority.ca, agent: false }).end()
  const [response] = await once(asking, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const read = (bytes: Buffer): ResponseMessage => {
  const decoded = decodeResponse(bytes)
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value
}

const addressIn = (bytes: Buffer): string => aData.decode(read(bytes).answers[0]!.data)

/** A client that wants padding (RFC 7830) and to know how long it may stay (RFC 7828). */
const options = [
  { code: 11, data: Buffer.alloc(0) },
  { code: 12, data: Buffer.alloc(20) },
]
const packet = queryPacket('a.example.', { edns: { udpSize: 1232, dnssecOk: false, options } })

test('each transport gives the options that are its own; metrics tell the listeners apart', async t => {
  const { ports, registry } = await serve(t)
  const { dns, tls, https } = ports()
  const replies = {
    udp: await exchangeUdp(packet, dns),
    tcp: await exchangeTcp(packet, dns),
    tls: await exchangeOver(await dial(t, tls), packet),
    https: await exchangeHttps(packet, https),
  }
  for (const reply of Object.values(replies)) t.is(addressIn(reply), '192.0.2.1')
  t.deepEqual(
    Object.values(replies).map(reply => [
      reply.length % 468 === 0,
      ...(read(reply).edns?.options ?? []).map(({ code, data }) => (code === 11 ? data.readUInt16BE() : code)),
    ]),
    [[false], [false, 100], [true, 100, 12], [true, 12]],
  )
  const text = await registry.metrics()
  for (const [server, proto, count] of [
    ['dns://127.0.0.1:0', 'udp', 1],
    ['dns://127.0.0.1:0', 'tcp', 1],
    ['tls://127.0.0.1:0', 'tcp', 1],
    ['https://127.0.0.1:0', 'tcp', 1],
  ] as const) {
    const labels = `server="${server}",zone=".",view="",proto="${proto}",family="1",type="A"`
    t.true(text.includes(`coredns_dns_requests_total{${labels}} ${count}`), text)
  }
  t.true(text.includes('coredns_dns_https_responses_total{server="https://127.0.0.1:0",status="200"} 1'), text)
})

test('a reload keeps sockets and connections; new ones see the new certificate', async t => {
  const { ports, live, file, folder } = await serve(t)
  const before = ports()
  const open = await dial(t, before.tls)
  t.is(open.getPeerCertificate().subject.CN, 'first.example')
  writeFileSync(file, corefile('192.0.2.2'))
  writeCertificate(folder, await authority.server('second.example'))
  t.deepEqual(await live.reload(), { outcome: 'reloaded' })
  t.deepEqual(ports(), before)
  const fresh = await dial(t, before.tls)
  t.is(fresh.getPeerCertificate().subject.CN, 'second.example')
  for (const socket of [open, fresh]) t.is(addressIn(await exchangeOver(socket, packet)), '192.0.2.2')
  writeFileSync(join(folder, 'key.pem'), 'broken')
  const outcome = await live.reload()
  t.is(outcome.outcome, 'refused')
  t.is(addressIn(await exchangeHttps(packet, before.https)), '192.0.2.2')
})
