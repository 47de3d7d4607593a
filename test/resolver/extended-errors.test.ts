/**
 * RFC 8914: every answer that fails or denies, whose cause is worth telling, tells it. One row a way to such an answer;
 * those of upstreams and the cache stand with their plugins' tests.
 */
import test from 'ava'
import { extendedErrorCodes as ede, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { type Ask, ask, configure, testWorld } from '../support/dns-environment.ts'
import { namespace, service, slice } from '../support/manifests.ts'
import { StaticCluster, staticSource } from '../support/static-cluster.ts'

interface Row {
  /** Of the server block `.`. */
  readonly lines: string
  readonly name: string
  readonly question?: Ask
  readonly rcode: number
  readonly code: number
  readonly text?: RegExp
  readonly synced?: false
  /** The server block's zone. Default `.`. */
  readonly zone?: string
}

const cluster = 'kubernetes cluster.local in-addr.arpa {\n pods verified\n }'
const manifests = [
  namespace('shop'),
  service('shop', 'web', { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80 }] }),
  slice({ namespace: 'shop', service: 'web', endpoints: ['192.0.2.8'] }),
  service('shop', 'idle', { clusterIP: 'None' }),
  slice({ namespace: 'shop', service: 'idle', endpoints: [{ address: '192.0.2.9', ready: false }] }),
  service('shop', 'out', { type: 'ExternalName', externalName: 'no.such.svc.cluster.local' }),
]

const denied = (name: string, text: RegExp, rcode: number = rcodes.NXDOMAIN, question: Ask = {}): Row => ({
  lines: cluster,
  name: `${name}.cluster.local.`,
  question,
  rcode,
  code: ede.OTHER,
  text,
})

const rows: Readonly<Record<string, Row>> = {
  'no server block': {
    lines: '',
    zone: 'example.net',
    name: 'a.test.',
    rcode: 5,
    code: ede.NOT_AUTHORITATIVE,
    text: /no server block/,
  },
  'no plugin left': {
    lines: 'errors',
    name: 'a.test.',
    rcode: 2,
    code: ede.OTHER,
    text: /no plugin of the server block/,
  },
  'another class': {
    lines: 'whoami',
    name: 'a.test.',
    question: { class: 4 },
    rcode: 5,
    code: ede.NOT_SUPPORTED,
    text: /class/,
  },
  'a transfer where there are none': {
    lines: 'whoami',
    name: 'a.test.',
    question: { type: recordTypes.AXFR, transport: 'tcp' },
    rcode: 5,
    code: ede.PROHIBITED,
    text: /transferred/,
  },
  'acl: blocked': { lines: 'acl {\n block\n }\n whoami', name: 'a.test.', rcode: 5, code: ede.BLOCKED },
  'acl: filtered': { lines: 'acl {\n filter\n }\n whoami', name: 'a.test.', rcode: 0, code: ede.FILTERED },
  'erratic: a type that it does not know': {
    lines: 'erratic {\n drop 0\n }',
    name: 'a.test.',
    question: { type: 15 },
    rcode: 2,
    code: ede.NOT_SUPPORTED,
  },
  'forward: too many under way': {
    lines: 'forward . 127.0.0.1:9 {\n max_concurrent 1\n }',
    name: 'twice.test.',
    rcode: 5,
    code: ede.OTHER,
    text: /too many/,
  },
  'kubernetes: not synced': {
    ...denied('web.shop.svc', /not complete/, rcodes.SERVFAIL),
    synced: false,
    code: ede.NOT_READY,
  },
  'kubernetes: no such namespace': denied('web.shpo.svc', /namespace "shpo" does not exist/),
  'kubernetes: no such service': denied('wbe.shop.svc', /has no service of this name/),
  'kubernetes: no ready endpoint': denied('idle.shop.svc', /none of its endpoints is ready/),
  'kubernetes: nothing so deep': denied('a.b.c.web.shop.svc', /no name of this zone has this form/),
  'kubernetes: no address of a port': denied('_http._tcp.web.shop.svc', /SRV records alone/, rcodes.NOERROR),
  'kubernetes: no other family of an endpoint': denied('192-0-2-8.web.shop.svc', /has no record/, rcodes.NOERROR, {
    type: recordTypes.AAAA,
  }),
  'kubernetes: no such endpoint': denied('a.web.shop.svc', /no ready endpoint/),
  'kubernetes: no such port': denied('_x._tcp.web.shop.svc', /no port named "x"/, rcodes.NXDOMAIN, {
    type: recordTypes.SRV,
  }),
  'kubernetes: no such protocol': denied('_sctp.web.shop.svc', /no port for sctp/),
  'kubernetes: no form': denied('a.b', /form/),
  'kubernetes: no such type': denied('web.shop.svc', /no record of this type/, rcodes.NOERROR, {
    type: recordTypes.MX,
  }),
  'kubernetes: below an ExternalName': denied('a.out.shop.svc', /ExternalName/),
  'kubernetes: an ExternalName that leads nowhere': denied('out.shop.svc', /namespace "such" does not exist/),
  'kubernetes: no such pod': denied('192-0-2-1.shop.pod', /no live pod/),
  'kubernetes: no pod’s address': denied('x.shop.pod', /no address with dashes/),
  'kubernetes: nobody has the address': {
    lines: cluster,
    name: '9.8.in-addr.arpa.',
    rcode: 3,
    code: ede.OTHER,
    text: /no service has an address/,
  },
}

for (const [title, row] of Object.entries(rows)) {
  test(title, async t => {
    const { lines, name, question, rcode, code, text = /^/, zone = '.' } = row
    const source = row.synced === false ? async () => new StaticCluster([], false) : staticSource(manifests)
    const configuration = configure(`${zone} {\n ${lines}\n}`, testWorld({ cluster: source }))
    await configuration.start(new AbortController().signal)
    t.teardown(() => configuration.close())
    const edns = { udpSize: 1232, dnssecOk: false, options: [] }
    // The limit of `forward` needs another question before this one.
    if (title.includes('too many')) void ask(configuration, 'first.test.', { edns }).catch(() => {})
    const reply = await ask(configuration, name, { edns, ...question })
    t.is(reply?.rcode, rcode)
    const told = reply?.extendedErrors?.find(error => error.code === code && text.test(error.text))
    t.truthy(told, JSON.stringify(reply?.extendedErrors))
    const plain = await ask(configuration, name, { ...question, edns: undefined })
    t.is(plain?.edns, undefined, 'without OPT there is nowhere to say it')
  })
}
