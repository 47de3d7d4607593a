import { X509Certificate } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { TlsIdentity } from '#resolver/listener.ts'
import { makeAuthority, writeCertificate } from '../../support/certificates.ts'
import { configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const authority = await makeAuthority()
const certificate = await authority.server()
const other = await authority.server('other.example')

const commonName = (identity: TlsIdentity | undefined): string | undefined =>
  identity && new X509Certificate(identity.credentials.cert).subject

test('listeners of tls:// and https:// have the certificate, those of dns:// have none', t => {
  const folder = temporaryFolder(t)
  writeCertificate(folder, certificate, authority.ca)
  const text = `tls://. https://.:8443 . {\n tls cert.pem key.pem ca.pem {\n  client_auth require_and_verify\n }\n}`
  const { listeners } = configure(text, testWorld(), folder)
  t.deepEqual(
    listeners.map(({ server, scheme, address, identity }) => [server, scheme, address.port, commonName(identity)]),
    [
      ['tls://:853', 'tls', 853, 'CN=dns.example'],
      ['https://:8443', 'https', 8443, 'CN=dns.example'],
      ['dns://:53', 'dns', 53, undefined],
    ],
  )
  t.is(listeners[0]?.identity?.clientAuth, 'require_and_verify')
  t.deepEqual(listeners[0]?.identity?.credentials.ca, authority.ca)
})

test('keylog: the secrets of connections go to a file of the owner’s, if one is asked for', async t => {
  const folder = temporaryFolder(t)
  writeCertificate(folder, certificate)
  const identityWith = async (lines: string) => {
    const configuration = configure(`tls://. {\n tls cert.pem key.pem ${lines}\n}`, testWorld(), folder)
    await configuration.start(AbortSignal.timeout(60_000))
    t.teardown(() => configuration.close())
    return { configuration, keylog: configuration.listeners[0]?.identity?.keylog }
  }
  t.is((await identityWith('')).keylog, undefined)
  const { configuration, keylog } = await identityWith('{\n  keylog keys.log\n }')
  keylog?.(Buffer.from('CLIENT_RANDOM 01 02\n'))
  await configuration.close()
  const file = join(folder, 'keys.log')
  while (statSync(file).size === 0) await new Promise(resolve => setImmediate(resolve))
  t.is(readFileSync(file, 'utf8'), 'CLIENT_RANDOM 01 02\n')
  t.is(statSync(file).mode & 0o777, 0o600)
})

test('flags that move port 53 leave the others where they are', t => {
  const folder = temporaryFolder(t)
  writeCertificate(folder, certificate)
  const text = 'tls://. https://. . {\n tls cert.pem key.pem\n}'
  const servers = (overrides: Record<string, string>) =>
    configure(text, testWorld({ overrides }), folder).listeners.map(({ server }) => server)
  t.deepEqual(servers({}), ['tls://:853', 'https://:443', 'dns://:53'])
  t.deepEqual(servers({ 'dns-port': '1053' }), ['tls://:853', 'https://:443', 'dns://:1053'])
  t.deepEqual(servers({ 'dns-address': '127.0.0.1:1053' }), [
    'tls://127.0.0.1:853',
    'https://127.0.0.1:443',
    'dns://127.0.0.1:1053',
  ])
})

test('blocks share a listener and its certificate, which one of them may leave to the other', t => {
  const folder = temporaryFolder(t)
  writeCertificate(folder, certificate)
  const line = '{\n tls cert.pem key.pem\n}\n'
  t.is(configure(`tls://a ${line}tls://b ${line}`, testWorld(), folder).listeners.length, 1)
  for (const text of [`https://a ${line}https://b {\n}\n`, `https://b {\n}\nhttps://a ${line}`])
    t.is(commonName(configure(text, testWorld(), folder).listeners[0]?.identity), 'CN=dns.example')
})

test('https:// without tls is HTTP in the clear, as in CoreDNS: a proxy before it ends TLS', t => {
  const [listener] = configure('https://.:8080 {\n}').listeners
  t.is(listener?.scheme, 'https')
  t.is(listener?.identity, undefined)
})

const wrong: Record<string, readonly [text: string, problem: RegExp]> = {
  'tls:// without a certificate': ['tls://. {\n}', /^Corefile:1: "tls:\/\/\." needs its certificate: a line "tls CERT/],
  'a missing key': ['. {\n tls cert.pem\n}', /^Corefile:2: tls: needs a certificate and its key \(CERT KEY \[CA\]\)$/],
  'a word too many': ['. {\n tls cert.pem key.pem ca.pem x\n}', /^Corefile:2: tls: "x" is one word too many$/],
  'a file that is not there': [
    '. {\n tls no.pem key.pem\n}',
    /^Corefile:2: tls: .* cannot be read or used: ENOENT.*no\.pem/,
  ],
  'a file that is no certificate': [
    '. {\n tls text key.pem\n}',
    /^Corefile:2: tls: the certificate cannot be .* used: /,
  ],
  'a key of another certificate': ['. {\n tls cert.pem other.pem\n}', /^Corefile:2: tls: .*key values mismatch/],
  'a demand that is none': [
    '. {\n tls cert.pem key.pem {\n  client_auth requir\n }\n}',
    /^Corefile:3: tls: "requir" is not one of nocert, request, .*; did you mean "require"\?$/,
  ],
  'two certificates for one listener': [
    'tls://a {\n tls cert.pem key.pem\n}\ntls://b {\n tls cert.pem key.pem {\n  client_auth require\n }\n}',
    /^Corefile:5: tls: tls:\/\/:853 has another certificate already \(Corefile:2\)/,
  ],
  'two schemes on one address': [
    '.:853 {\n}\ntls://. {\n tls cert.pem key.pem\n}',
    /^Corefile:3: tls:\/\/:853 cannot be where dns:\/\/:853 is \(Corefile:1\)$/,
  ],
  'a scheme that is not served': [
    'quic://. {\n tls cert.pem key.pem\n}',
    /"quic:\/\/\.": Seamark does not serve quic:\/\/ yet/,
  ],
  'another scheme that is not served': [
    'grpc://. {\n}',
    /^Corefile:1: "grpc:\/\/\.": Seamark does not serve grpc:\/\/ yet; the nearest to it is "https"$/,
  ],
}

for (const [about, [text, problem]] of Object.entries(wrong))
  test(`tells of ${about}`, t => {
    const folder = temporaryFolder(t)
    writeCertificate(folder, certificate)
    writeFileSync(join(folder, 'other.pem'), other.key)
    writeFileSync(join(folder, 'text'), 'no certificate')
    const problems = problemsOf(text, testWorld(), folder)
    t.is(problems.length, 1)
    t.regex(problems[0] ?? '', problem)
  })

test('the files are read again when they change; what cannot be used is not taken over', async t => {
  const folder = temporaryFolder(t)
  writeCertificate(folder, certificate)
  const world = testWorld()
  const configuration = configure('tls://. {\n tls cert.pem key.pem\n}', world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const { identity } = configuration.listeners[0]!
  const first = identity?.credentials
  await world.clock.advance(5000)
  t.is(identity?.credentials, first, 'nothing has changed')
  // A new certificate whose key has not been written yet.
  writeFileSync(join(folder, 'next.pem'), other.cert)
  renameSync(join(folder, 'next.pem'), join(folder, 'cert.pem'))
  await world.clock.advance(5000)
  t.is(identity?.credentials, first)
  writeCertificate(folder, other)
  await world.clock.advance(5000)
  t.is(commonName(identity), 'CN=other.example')
  const second = identity?.credentials
  rmSync(join(folder, 'key.pem'))
  await world.clock.advance(5000)
  t.is(identity?.credentials, second)
  const text = await world.registry.metrics()
  t.true(text.includes(`seamark_tls_reload_failures_total{certificate="${folder}/cert.pem"} 2`), text)
  const [, seconds] = /^seamark_tls_certificate_expiration_timestamp_seconds\S* (\S+)$/m.exec(text) ?? []
  t.is(Number(seconds), new X509Certificate(other.cert).validToDate.getTime() / 1000)
  await configuration.close()
  t.notRegex(await world.registry.metrics(), /^seamark_tls_certificate_expiration_timestamp_seconds\{/m)
})
