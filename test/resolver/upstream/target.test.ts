import test from 'ava'
import { parseDestination } from '#resolver/upstream/target.ts'

const server = (protocol: string, address: string, port: number, serverName?: string, path = '') => ({
  kind: 'server',
  target: { protocol, address, port, serverName, path },
})
const named = (protocol: string, host: string, port: number, serverName?: string, path = '') => ({
  kind: 'name',
  target: { protocol, host, port, serverName, path },
})

const good: Record<string, unknown> = {
  '192.0.2.1': server('dns', '192.0.2.1', 53),
  '192.0.2.1:5353': server('dns', '192.0.2.1', 5353),
  'dns://192.0.2.1': server('dns', '192.0.2.1', 53),
  '2001:db8::1': server('dns', '2001:db8::1', 53),
  '[2001:db8::1]:5353': server('dns', '2001:db8::1', 5353),
  'fe80::1%eth0': server('dns', 'fe80::1%eth0', 53),
  'tls://192.0.2.1': server('tls', '192.0.2.1', 853),
  'tls://192.0.2.1%dns.example': server('tls', '192.0.2.1', 853, 'dns.example'),
  'tls://192.0.2.1%dns.example:10853': server('tls', '192.0.2.1', 10_853, 'dns.example'),
  'tls://[2001:db8::1]%dns.example:10853': server('tls', '2001:db8::1', 10_853, 'dns.example'),
  'tls://dns.example': named('tls', 'dns.example', 853, 'dns.example'),
  'https://192.0.2.1': server('https', '192.0.2.1', 443, undefined, '/dns-query'),
  'https://192.0.2.1%dns.example:8443/q': server('https', '192.0.2.1', 8443, 'dns.example', '/q'),
  'https://dns.example/ab/cd?x=1': named('https', 'dns.example', 443, 'dns.example', '/ab/cd?x=1'),
  'https://[2001:db8::1]:8443/dns-query': server('https', '2001:db8::1', 8443, undefined, '/dns-query'),
  'dns.example:5353': named('dns', 'dns.example', 5353),
  'kube-dns.kube-system.svc.cluster.local': named('dns', 'kube-dns.kube-system.svc.cluster.local', 53),
  '/etc/resolv.conf': { kind: 'file', path: '/etc/resolv.conf' },
  './resolv.conf': { kind: 'file', path: './resolv.conf' },
}

for (const [text, expected] of Object.entries(good))
  test(`reads ${text}`, t => {
    const read = parseDestination(text)
    t.deepEqual(read.ok ? read.value : read.problem, expected as never)
  })

for (const text of [
  '192.0.2.256',
  '8.8.8',
  'grpc://192.0.2.1',
  'ftp://192.0.2.1',
  '192.0.2.1:0',
  'https://',
  'a_.-b',
  '',
])
  test(`refuses "${text}"`, t => t.false(parseDestination(text).ok))
