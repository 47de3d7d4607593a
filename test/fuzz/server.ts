/** The server that fuzz targets ask: many plugins in one Corefile, without any upstream, so that all of it stays here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Configuration } from '#resolver/configuration.ts'
import type { DnsListener } from '#resolver/listener.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { caseObjects } from '../conformance/cases.ts'
import { configure, testWorld } from '../support/dns-environment.ts'
import { metric } from '../support/dns-server.ts'
import { staticSource } from '../support/static-cluster.ts'

const zone = `
$ORIGIN zone.example.
$TTL 300
@ SOA ns.zone.example. hostmaster.zone.example. 1 7200 1800 86400 60
@ NS ns
ns A 192.0.2.1
* A 192.0.2.2
alias CNAME target.elsewhere.example.
dname DNAME made.example.
cut NS ns.cut
ns.cut A 192.0.2.3
deep.ent TXT "a" "b"
`

const corefile = (folder: string): string => `
(all) {
  errors
  log . "{remote} {name} {type} {rcode} {>rflags} {rsize} {/kubernetes/client-namespace}"
  metadata
  prometheus
  chaos fuzz-1 "somebody"
  nsid fuzz
  cache 30
  minimal
}
.:53 {
  import all
  any
  local
  loadbalance
  dns64 {
    allow_ipv4
  }
  rewrite name suffix .rewritten.example .harbor.svc.cluster.local answer auto
  rewrite name regex (.*)[.]regex[.]example[.] {1}.svc.cluster.local
  rewrite ttl suffix .cluster.local 10-20
  acl {
    drop type NULL net *
    filter type HINFO
    block type NAPTR
  }
  hosts {
    192.0.2.10 host.example other.example
    2001:db8::10 host.example
    192.0.2.11 *.wild.example
    fallthrough
  }
  template IN A made.example {
    match ^ip-(?P<a>[0-9]*)-(?P<b>[0-9]*)-(?P<c>[0-9]*)-(?P<d>[0-9]*)[.]made[.]example[.]$
    answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
    fallthrough
  }
  template IN ANY elsewhere.example {
    answer "{{ .Name }} 60 IN CNAME host.example."
  }
  file ${folder}/zone zone.example
  autopath @kubernetes
  transfer {
    to *
  }
  k8s_external ships.example.net 113.0.203.in-addr.arpa {
    headless
  }
  kubernetes cluster.local clusterset.local in-addr.arpa ip6.arpa {
    pods verified
    zonal
    multicluster clusterset.local
    fallthrough in-addr.arpa
  }
  erratic
}
viewed.example:53 {
  view odd {
    expr type() in ['A', 'AAAA'] && name() matches '^[a-m]' || size() > 60 and incidr(client_ip(), '10.0.0.0/8')
  }
  import all
  whoami
}
viewed.example:53 {
  header {
    response set ra
  }
  template ANY ANY {
    rcode NXDOMAIN
    authority "viewed.example. 60 IN SOA ns.viewed.example. h.viewed.example. (1 2 3 4 5)"
    ederror 15 "blocked"
  }
}
`

export interface FuzzServer {
  readonly configuration: Configuration
  /** Bugs that were caught and became SERVFAIL. */
  panics(): Promise<number>
  close(): Promise<void>
}

export const startConfiguration = async (): Promise<FuzzServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-test-'))
  writeFileSync(join(folder, 'zone'), zone)
  const registry = createRegistry()
  const world = testWorld({
    cluster: staticSource(caseObjects),
    registry,
    print: () => {},
    resolvConf: join(folder, 'none'),
    localAddresses: () => ['10.77.0.53'],
  })
  const configuration = configure(corefile(folder), world)
  await configuration.start(AbortSignal.timeout(60_000))
  return {
    configuration,
    panics: () => metric(registry, 'coredns_panics_total'),
    async close() {
      await configuration.close()
      rmSync(folder, { recursive: true })
    },
  }
}

export interface ListeningServer extends FuzzServer {
  readonly port: number
}

/** The same on loopback; `https` without a certificate is HTTP in the clear. */
export const startListening = async (scheme: DnsListener['scheme']): Promise<ListeningServer> => {
  const fuzzServer = await startConfiguration()
  const { configuration } = fuzzServer
  const options = readOptions(serverOptions, { tcpMaxConnections: 100_000 })
  if (!options.ok) throw new Error(options.problem)
  const server = new Server(configuration.responder, {
    clock: systemClock,
    logger: silentLogger,
    registry: createRegistry(),
    options: options.value,
  })
  const [listener] = configuration.listeners
  const address = { host: '127.0.0.1', port: 0 }
  await server.converge([{ ...listener!, address, ...(scheme && { scheme }) }], [])
  return {
    ...fuzzServer,
    port: [...server.addresses().dns.values()][0]!.port,
    async close() {
      await server.close()
      await fuzzServer.close()
    },
  }
}
