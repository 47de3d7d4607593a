/** Why a name resolves or not, asked as people ask it: `seamark explain` and `seamark show` beside a running cluster. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { seamark, startCluster, TEST_COREFILE } from '../support/cluster.ts'
import { ask } from '../support/dns-client.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test.serial('explain, top, failures, config: what runs tells of itself', async t => {
  const cluster = await startCluster(t)
  const told = async (...args: string[]) => run(seamark, [...args, '--data-dir', cluster.folder])
  const found = await told('explain', '-n', 'default', 'kubernetes')
  t.is(found.code, 0, found.stderr)
  t.regex(found.stdout, /kubernetes\.default\.svc\.cluster\.local\. A: NOERROR by kubernetes/)
  t.regex(found.stdout, /Service default\/kubernetes \(resourceVersion \d+\)/)
  t.regex(found.stdout, /EndpointSlice default\/kubernetes/)
  const missing = await told('explain', '-n', 'default', 'kubernetse')
  t.regex(missing.stdout, /namespace "default" has no service "kubernetse"; did you mean "kubernetes"\?/)
  const json = await told('explain', '--json', 'kubernetes.default.svc.cluster.local.', '--type', 'AAAA')
  t.is(JSON.parse(json.stdout).candidates[0].rcode, 'NOERROR')
  for (let count = 0; count < 3; count++)
    await ask({ name: 'nothing.default.svc.cluster.local', port: cluster.dnsPort })
  const counted = /3 {2} +0 {2}NXDOMAIN {2}A +nothing\.default\.svc\.cluster\.local\./
  let top = await told('show', 'top')
  // What the workers answer by themselves is told a moment later.
  for (const end = performance.now() + 60_000; !counted.test(top.stdout) && performance.now() < end; )
    top = await told('show', 'top')
  t.regex(top.stdout, counted)
  t.regex((await told('show', 'config')).stdout, /kubernetes cluster\.local/)
  const wrong = await told('explain', 'a..b')
  t.is(wrong.code, 1)
  t.regex(wrong.stderr, /"a\.\.b" is not a domain name/)
})

test.serial('an edit that was refused is told on /config', async t => {
  const conf = join(temporaryFolder(t), 'Corefile')
  writeFileSync(conf, TEST_COREFILE)
  const cluster = await startCluster(t, { args: ['--conf', conf] })
  writeFileSync(conf, TEST_COREFILE.replace('loadbalance', 'loadbalence'))
  const config = async () => run(seamark, ['show', 'config', '--data-dir', cluster.folder])
  const end = performance.now() + 60_000
  let page = await config()
  while (!page.stdout.includes('refused') && performance.now() < end) page = await config()
  t.regex(
    page.stdout,
    /# refused .*\n# {3}.*Corefile:\d+: unknown directive "loadbalence"; did you mean "loadbalance"\?/,
  )
  t.regex(page.stdout, /^ {4}loadbalance$/m)
})

test.serial('where no DNS server tells of itself, the address is named', async t => {
  const { code, stderr } = await run(seamark, ['explain', 'a.', '--admin-address', '127.0.0.1:1'])
  t.is(code, 1)
  t.regex(stderr, /no DNS server tells of itself on 127\.0\.0\.1:1[\s\S]*--admin-address[\s\S]*DNS_UNREACHABLE/)
})
