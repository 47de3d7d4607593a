/** Holds the pages for people who come from other servers to what the server does. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { pluginOrder } from '#resolver/plugins/order.ts'
import { rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { projectRoot } from './support/cluster.ts'
import { ask, configure, pluginModules, problemsOf, testWorld } from './support/dns-environment.ts'
import { findProgram, skip } from './support/programs.ts'
import { temporaryFolder } from './support/temporary-folder.ts'
import { aRecord, startUpstream } from './support/upstream.ts'

const pageOf = (name: string): string => readFileSync(join(projectRoot, 'docs', `coming-from-${name}.md`), 'utf8')
const dnsmasq = pageOf('dnsmasq')
const examples = [...dnsmasq.matchAll(/^```corefile\n([\s\S]*?)^```/gm)].map(([, text]) => text!)

test('dnsmasq: every example is good', t => {
  t.is(examples.length, 6)
  for (const example of examples) t.deepEqual(problemsOf(example), [], example)
})

test('dnsmasq: every line of a table that is a whole directive is good', t => {
  const cells = [...dnsmasq.matchAll(/^\| .* \| (.*) \|$/gm)].map(([, cell]) => cell!)
  const words = cells.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word!))
  const directives = words.filter(
    word => / /.test(word) && !word.includes('…') && pluginModules.has(word.split(' ')[0]!),
  )
  t.true(directives.length >= 12, directives.join('\n'))
  // Interfaces that this machine does not have, and files.
  for (const directive of directives.filter(text => !/eth\d|resolv\.upstream/.test(text)))
    t.deepEqual(problemsOf(`. {\n ${directive.replace(/\{ (.*) \}$/, '{\n $1\n }')}\n}`), [], directive)
})

const stub = (t: ExecutionContext, address: string) =>
  startUpstream(t, {
    respond: ({ question: { name, type } }) =>
      type === recordTypes.A ? { answers: [aRecord(name, 30, address)] } : { rcode: 3 },
  })

/** `A 192.0.2.80`, or the RCODE and the number of records. */
const answerTo = async (configuration: Configuration, name: string, type: number): Promise<string> => {
  const reply = await ask(configuration, `${name}.`, { type })
  if (!reply) return 'silence'
  const [first] = reply.answers
  if (first?.type === recordTypes.A) return [...(first.data as Buffer)].join('.')
  return `${rcodeName(reply.rcode)} ${reply.answers.length}`
}

const start = async (t: ExecutionContext, text: string): Promise<Configuration> => {
  const configuration = configure(text, testWorld())
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  return configuration
}

const withHosts = (t: ExecutionContext, text: string): string => {
  const hosts = join(temporaryFolder(t), 'hosts')
  writeFileSync(hosts, '192.0.2.20 printer.lan.example\n')
  return text.replaceAll('/etc/hosts.lan', hosts)
}

test('dnsmasq: the first example answers as its lines of dnsmasq.conf say', async t => {
  const [upstream, corp] = [await stub(t, '192.0.2.101'), await stub(t, '192.0.2.102')]
  const text = withHosts(t, examples[0]!)
    .replaceAll('192.0.2.53', upstream.target)
    .replaceAll('192.0.2.10:5353', corp.target)
  const configuration = await start(t, text)
  const { A, AAAA, MX, PTR } = recordTypes
  for (const [name, type, expected] of [
    ['www.example.org', A, '192.0.2.101'],
    ['www.example.org', AAAA, 'NOERROR 0'],
    ['www.corp.example', A, '192.0.2.102'],
    ['7.100.51.198.in-addr.arpa', PTR, 'NXDOMAIN 0'],
    ['printer.lan.example', A, '192.0.2.20'],
    ['printer.lan.example', MX, 'NOERROR 0'],
    ['other.lan.example', A, 'NXDOMAIN 0'],
    ['apps.example', A, '192.0.2.80'],
    ['one.apps.example', A, '192.0.2.80'],
    ['ads.example', A, 'NXDOMAIN 0'],
    ['one.ads.example', MX, 'NXDOMAIN 0'],
  ] as const)
    t.is(await answerTo(configuration, name, type), expected, `${name} ${type}`)
  const asked = (queries: typeof upstream.queries) => queries.map(({ question }) => question.canonicalName)
  t.deepEqual(asked(upstream.queries), ['www.example.org.'])
  t.deepEqual(asked(corp.queries), ['www.corp.example.', '7.100.51.198.in-addr.arpa.'])
})

test('dnsmasq: exceptions of a domain, aliases, wildcards, plain names, private networks and addresses', async t => {
  const [upstream, corp] = [await stub(t, '192.0.2.101'), await stub(t, '192.168.0.1')]
  const routed = (text: string) =>
    withHosts(t, text).replace('192.0.2.10 192.0.2.11', corp.target).replaceAll('192.0.2.53', upstream.target)
  const { A, AAAA, HTTPS, PTR } = recordTypes
  const rows = [
    [1, 'www.corp.example', A, '192.168.0.1'],
    [1, 'www.public.corp.example', A, '192.0.2.101'],
    [2, 'a.lan.example', A, '192.0.2.1'],
    [2, 'a.lan.example', AAAA, 'NOERROR 1'],
    [2, 'www.lan.example', A, 'NOERROR 2'],
    [2, 'x.apps.lan.example', A, '192.0.2.80'],
    [2, 'printer.lan.example', A, '192.0.2.20'],
    [4, 'printer', A, 'NXDOMAIN 0'],
    [4, 'www.example', A, '192.0.2.101'],
    [4, 'www.example', HTTPS, 'NOERROR 0'],
    [4, '1.2.16.172.in-addr.arpa', PTR, 'NXDOMAIN 0'],
    [4, '1.2.31.172.in-addr.arpa', PTR, 'NXDOMAIN 0'],
    [4, 'www.example', AAAA, 'NOERROR 0'],
    [5, 'www.example', A, '192.0.2.101'],
  ] as const
  for (const example of [1, 2, 4, 5]) {
    const configuration = await start(
      t,
      routed(examples[example]!)
        .replace(/^\.:5353/, '.')
        .replace(/^ +bind .*\n/m, ''),
    )
    for (const [index, name, type, expected] of rows)
      if (index === example) t.is(await answerTo(configuration, name, type), expected, `${name} ${type}`)
  }
})

test('dnsmasq: private addresses and such that stand for none, as the example has it', async t => {
  const text = examples[4]!
  for (const [address, name, expected] of [
    ['192.168.0.1', 'evil.example', 'NOERROR 0'],
    ['192.168.0.1', 'www.corp.example', '192.168.0.1'],
    ['127.0.0.2', 'list.example', '127.0.0.2'],
    ['192.0.2.99', 'nowhere.example', 'NXDOMAIN 0'],
  ] as const) {
    const upstream = await stub(t, address)
    const configuration = await start(t, text.replace('192.0.2.53', upstream.target))
    t.is(await answerTo(configuration, name, recordTypes.A), expected, `${name} ${address}`)
  }
})

/** DHCP, TFTP, PXE, BOOTP and router advertisement, which the page leaves out as a whole. */
const notDns =
  /^(?:(?:no-|quiet-|log-)?(?:dhcp|tftp|ra)|enable-(?:tftp|ra)|pxe|bootp|leasefile|read-ethers|script|bridge|shared-network|no-ping|tag-if)/

test('dnsmasq: every DNS option that it knows is on the page', t => {
  const program = findProgram('dnsmasq')
  if (!program) return skip(t, 'needs dnsmasq (Debian: dnsmasq-base)')
  const help = execFileSync(program, ['--help'], { encoding: 'utf8' })
  const options = [...help.matchAll(/^(?:-\S, | {4})--([A-Za-z0-9-]+)/gm)].map(([, option]) => option!)
  t.true(options.length > 150)
  const words = new Set([...dnsmasq.matchAll(/`([A-Za-z0-9-]+)(?:=[^`]*)?`/g)].map(([, word]) => word!))
  const aboutItself = ['help', 'version']
  t.deepEqual(
    options.filter(option => !notDns.test(option) && !words.has(option) && !aboutItself.includes(option)),
    [],
  )
})

test('CoreDNS: what is said to be missing is', t => {
  const [, plugins = '', options = ''] =
    /^## Missing\n([\s\S]*?)Of plugins that are there:\n\n([\s\S]*?)\n\n/m.exec(pageOf('coredns')) ?? []
  const names = [...plugins.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name!)
  t.true(names.length > 10)
  t.deepEqual(
    names.filter(name => pluginModules.has(name) || !pluginOrder.includes(name)),
    [],
  )
  const lines = options.split('\n').map(line => [...line.matchAll(/`([a-z0-9_]+)`/g)].map(([, word]) => word!))
  t.true(lines.length > 0)
  for (const [plugin = '', ...words] of lines)
    for (const word of words) {
      t.true(pluginModules.has(plugin), plugin)
      t.false(Object.hasOwn(pluginModules.get(plugin)?.options ?? {}, word), `${plugin} ${word}`)
    }
})
