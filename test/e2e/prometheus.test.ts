/** Debian's Prometheus scrapes the DNS server, and answers a question about it. */

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { startCluster } from '../support/cluster.ts'
import { ask } from '../support/dns-client.ts'
import { freePort } from '../support/free-port.ts'
import { findProgram, skip } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const queryValue = async (port: number, query: string): Promise<string | undefined> => {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`)
  const answer = (await response.json()) as { data?: { result?: { value?: [number, string] }[] } }
  return answer.data?.result?.[0]?.value?.[1]
}

test.serial('Prometheus counts the queries that were asked', async t => {
  const prometheus = findProgram('prometheus')
  if (!prometheus) return skip(t, 'needs prometheus')
  const cluster = await startCluster(t)
  for (let count = 0; count < 7; count++) {
    await ask({ name: 'kubernetes.default.svc.cluster.local', port: cluster.dnsPort })
  }
  const folder = temporaryFolder(t)
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `scrape_configs: [{ job_name: dns, scrape_interval: 1s, static_configs: [{ targets: ['${cluster.addresses.metrics}'] }] }]\n`,
  )
  const port = await freePort()
  const server = spawn(
    prometheus,
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  let ended = false
  const exited = new Promise<void>(resolve =>
    server.once('exit', () => {
      ended = true
      resolve()
    }),
  )
  t.teardown(async () => {
    server.kill('SIGTERM')
    await exited
  })
  const query = 'sum(coredns_dns_requests_total{type="A",zone="."})'
  const end = performance.now() + 60_000
  let value: string | undefined
  while (value !== '7' && !ended && performance.now() < end) {
    value = await queryValue(port, query).catch(() => undefined)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  t.false(ended, 'Prometheus ended by itself')
  t.is(value, '7')
})
