/** DNS over TLS and over HTTPS as ISC's dig and curl see them: other implementations of TLS, of HTTP and of the wire. */
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { DnsListener } from '#resolver/listener.ts'
import { identityOf, makeAuthority, writeCertificate } from '../support/certificates.ts'
import { addressResponder, startServer } from '../support/dns-server.ts'
import { findProgram, skip } from '../support/programs.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const authority = await makeAuthority()
const certificate = await authority.server()

const serve = async (t: ExecutionContext, scheme: 'tls' | 'https', count = 2) => {
  const folder = temporaryFolder(t)
  writeCertificate(folder, certificate, authority.ca)
  const listener: DnsListener = {
    address: { host: '127.0.0.1', port: 0 },
    server: `${scheme}://:0`,
    scheme,
    identity: identityOf(certificate),
  }
  const { port } = await startServer(t, { listeners: [listener], responder: addressResponder(count) })
  return { port, ca: join(folder, 'ca.pem') }
}

const askDig = async (t: ExecutionContext, port: number, ...args: string[]): Promise<string> => {
  const { code, stdout } = await run(findProgram('dig')!, [
    '@127.0.0.1',
    '-p',
    `${port}`,
    '+tries=1',
    '+time=60',
    ...args,
  ])
  t.is(code, 0, stdout)
  t.notRegex(stdout.replaceAll(';; WARNING: recursion requested but not available', ''), /warning|malformed|garbage/i)
  return stdout
}

const withProgram = (program: string, title: string, body: (t: ExecutionContext) => Promise<void>): void =>
  test(`${program}: ${title}`, t => (findProgram(program) ? body(t) : skip(t, `${program} is not installed`)))

withProgram('dig', '+tls, the certificate verified', async t => {
  const { port, ca } = await serve(t, 'tls')
  const out = await askDig(
    t,
    port,
    '+tls',
    `+tls-ca=${ca}`,
    '+tls-hostname=dns.example',
    '+keepopen',
    'a.example',
    'b.example',
  )
  t.is(out.match(/status: NOERROR/g)?.length, 2)
  t.regex(out, /SERVER: 127\.0\.0\.1#\d+\(127\.0\.0\.1\) \(TLS\)/)
  t.regex(out, /^a\.example\.\t+5\tIN\tA\t192\.0\.2\.1$/m)
})

withProgram('dig', '+tls: an answer of many segments', async t => {
  const { port } = await serve(t, 'tls', 3000)
  t.regex(await askDig(t, port, '+tls', 'many.example'), /flags: qr aa rd; QUERY: 1, ANSWER: 3000/)
})

withProgram('dig', '+https by POST and by GET, the certificate verified', async t => {
  const { port, ca } = await serve(t, 'https')
  for (const method of ['+https', '+https-get']) {
    const out = await askDig(t, port, method, `+tls-ca=${ca}`, '+tls-hostname=dns.example', 'a.example')
    t.regex(out, /status: NOERROR/)
    t.regex(out, /\(HTTPS(-GET)?\)/)
    t.regex(out, /^a\.example\.\t+5\tIN\tA\t192\.0\.2\.2$/m)
  }
})

withProgram('curl', 'the JSON form over HTTP/1.1 and HTTP/2', async t => {
  const { port, ca } = await serve(t, 'https')
  for (const version of ['1.1', '2']) {
    const url = `https://127.0.0.1:${port}/dns-query?name=a.example`
    const args = ['-sS', `--http${version}`, '--cacert', ca, '-H', 'accept: application/dns-json']
    const { stdout } = await run(findProgram('curl')!, [...args, '-w', '\n%{http_version} %{http_code}', url])
    const [json = '', status] = stdout.split('\n')
    t.is(status, `${version} 200`)
    t.deepEqual(
      (JSON.parse(json) as { Answer: { data: string }[] }).Answer.map(({ data }) => data),
      ['192.0.2.1', '192.0.2.2'],
    )
  }
})
