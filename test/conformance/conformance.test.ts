/**
 * Every case of the corpus by the whole path: the case's Corefile, the real plugin chain, request bytes in, reply bytes
 * out. Only the cluster (views in memory) and the upstream (a table on a loopback port) stand in for the world.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { soaData } from '#resolver/wire/rdata.ts'
import { ask, configure, testWorld } from '../support/dns-environment.ts'
import { staticSource } from '../support/static-cluster.ts'
import { type CaseConfig, type ConformanceCase, cases, configOf, objects } from './cases.ts'
import { differences } from './compare.ts'
import { corefileOf } from './corefile.ts'
import { pending } from './pending.ts'
import { requestPacket } from './request.ts'
import { startUpstream, type UpstreamStub } from './upstream-stub.ts'

const upstreams: UpstreamStub[] = []
const configurations = new Map<string, Promise<Configuration>>()

const folder = mkdtempSync(join(tmpdir(), 'seamark-test-'))

/** The node's resolv.conf, as far as cases name it. */
const resolvConfOf = ({ hostSearch }: CaseConfig): string => {
  const path = join(folder, hostSearch.join('-') || 'none')
  writeFileSync(path, hostSearch.length > 0 ? `search ${hostSearch.join(' ')}\n` : '')
  return path
}

const startConfiguration = async (config: CaseConfig): Promise<Configuration> => {
  const stub = config.upstream ? await startUpstream(config.upstream) : undefined
  if (stub) upstreams.push(stub)
  const world = testWorld({
    cluster: staticSource(objects, config.synced),
    localAddresses: () => config.localIPs,
    resolvConf: resolvConfOf(config),
    ...(config.chaos && { hostname: config.chaos.hostname }),
  })
  const configuration = configure(corefileOf(config, stub?.address ?? ''), world)
  await configuration.start(AbortSignal.timeout(10_000))
  return configuration
}

/** Cases with the same settings share a server. */
const configurationOf = (conformanceCase: ConformanceCase): Promise<Configuration> => {
  const config = configOf(conformanceCase)
  const key = JSON.stringify(config)
  let configuration = configurations.get(key)
  if (!configuration) configurations.set(key, (configuration = startConfiguration(config)))
  return configuration
}

const serialOf = async (configuration: Configuration, zone: string): Promise<number> => {
  const reply = await ask(configuration, zone, { type: recordTypes.SOA })
  return soaData.decode(reply!.answers[0]!.data).serial
}

/** The zones of the corpus fit into one message. */
const follow = (messages: Iterable<Buffer>): void => {
  for (const message of messages) throw new Error(`${message.length} bytes follow`)
}

/** One reply for each request of the case (several when it pipelines). */
const replies = async (conformanceCase: ConformanceCase): Promise<(Buffer | undefined)[]> => {
  const configuration = await configurationOf(conformanceCase)
  const { responder } = configuration
  const { request = {}, from_pod_ip } = conformanceCase
  const count = request.pipeline ?? 1
  const serial = request.ixfr_serial === 'current' ? await serialOf(configuration, conformanceCase.qname) : undefined
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const reply = await responder(requestPacket(conformanceCase, 1000 + index, serial), {
        transport: request.transport ?? 'udp',
        client: { address: from_pod_ip ?? '198.51.100.9', port: 40_000 },
        local: { address: configOf(conformanceCase).localIPs[0] ?? '192.0.2.53', port: 53 },
        server: 'dns://:53',
        ...(request.transport === 'tcp' && { follow }),
      })
      return reply && Buffer.from(reply)
    }),
  )
}

/** Where CoreDNS contradicts the specifications, only the right answer will do; where it chose, either choice. */
const verdictOn = (conformanceCase: ConformanceCase, reply: Buffer | undefined): string[] => {
  const { basis, expect, alt_expect } = conformanceCase
  const acceptable = basis === 'quirk' && alt_expect ? [alt_expect] : alt_expect ? [expect, alt_expect] : [expect]
  const tried = acceptable.map(expectation => differences(reply, expectation))
  return tried.some(found => found.length === 0) ? [] : tried.map(found => found.join(', '))
}

const reasons = new Map(pending.flatMap(({ ids, reason }) => ids.map(id => [id, reason] as const)))

for (const conformanceCase of cases) {
  const { id, section, about } = conformanceCase
  if (reasons.has(id)) continue
  test(`${section}: ${id}: ${about}`, async t => {
    for (const [index, reply] of (await replies(conformanceCase)).entries()) {
      t.deepEqual(verdictOn(conformanceCase, reply), [])
      if (reply && conformanceCase.request?.raw === undefined) t.is(reply.readUInt16BE(0), 1000 + index)
    }
  })
}

test('every case is run or pending, and what is pending is known', t => {
  const known = new Map(cases.map(({ id, section }) => [id, section]))
  for (const { section, reason, ids } of pending) {
    for (const id of ids) t.is(known.get(id), section)
    t.log(`${section}: ${ids.length} pending: ${reason}`)
  }
  const pendingCount = pending.reduce((count, { ids }) => count + ids.length, 0)
  t.is(reasons.size, pendingCount, 'no case is pending twice')
  t.is(known.size, cases.length, 'ids are unique')
  t.is(cases.length, 269, 'cases are never deleted')
  t.true(pendingCount <= 0, 'the list of pending cases only shrinks')
  t.log(`${cases.length - pendingCount} run, ${pendingCount} pending, ${cases.length} in all`)
})

test.after.always(async () => {
  for (const configuration of configurations.values()) await (await configuration).close()
  for (const upstream of upstreams) await upstream.close()
  rmSync(folder, { recursive: true })
})
