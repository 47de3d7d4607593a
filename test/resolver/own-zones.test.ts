import test from 'ava'
import { configure } from '../support/dns-environment.ts'

const cases: Readonly<Record<string, readonly [corefile: string, zones: Readonly<Record<string, boolean>>]>> = {
  'kubeadm’s: reverse names of others fall through': [
    '. {\n kubernetes cluster.local in-addr.arpa ip6.arpa {\n fallthrough in-addr.arpa ip6.arpa\n }\n forward . 192.0.2.1\n}',
    { '.': false, 'cluster.local.': true },
  ],
  'nothing falls through': [
    '. {\n kubernetes cluster.local 10.96.0.0/12\n forward . 192.0.2.1\n}',
    {
      '.': false,
      'cluster.local.': true,
      ...Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`${96 + index}.10.in-addr.arpa.`, true])),
    },
  ],
  'everything falls through': [
    '. {\n kubernetes cluster.local {\n fallthrough\n }\n forward . 192.0.2.1\n}',
    { '.': false },
  ],
  'something below falls through': [
    '. {\n kubernetes cluster.local {\n fallthrough old.cluster.local\n }\n forward . 192.0.2.1\n}',
    { '.': false },
  ],
  'blocks of their own, one of which forwards': [
    'cluster.local {\n kubernetes cluster.local\n}\nconsul.cluster.local {\n forward . 192.0.2.1\n}\n. {\n forward . 192.0.2.1\n}',
    { 'cluster.local.': true, 'consul.cluster.local.': false, '.': false },
  ],
  'a block that forwards nothing': ['. {\n whoami\n}', { '.': true }],
  'a zone of two listeners, one of which forwards': [
    'a:53 {\n whoami\n}\na:54 {\n forward . 192.0.2.1\n}',
    { 'a.': false },
  ],
}

for (const [title, [corefile, zones]] of Object.entries(cases))
  test(title, t => t.deepEqual(Object.fromEntries(configure(corefile).ownZones), zones))
