/** The contract of `servers/`: a DNS server that the bench can start, one file each. */

/** A service of the data set; all have one address. */
export interface ServiceEntry {
  /** Absolute: `service-7.team-3.svc.cluster.local.` */
  readonly name: string
  readonly address: string
}

/** What a server is started with. */
export interface Setup {
  /** Its own, empty, removed afterwards. */
  readonly folder: string
  readonly address: string
  readonly port: number
  readonly services: readonly ServiceEntry[]
  /** Of an apiserver that holds the same services. */
  readonly kubeconfig: string
  /** `127.0.0.1:PORT` of the upstream for all other names. */
  readonly upstream: string
  /** Absent: UDP and TCP only. */
  readonly encryption?: Encryption
}

/** What a server is given that is to speak DNS over TLS and over HTTPS too. */
export interface Encryption {
  readonly tlsPort: number
  readonly httpsPort: number
  /** Paths of PEM files. */
  readonly certificate: string
  readonly key: string
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
}

export interface Contender {
  readonly name: string
  /** Writes its configuration; a text: why it cannot run here. One worker each, whatever the machine has. */
  prepare(setup: Setup): Launch | string
  /** What it cannot do at all: such workloads are left out. */
  readonly lacks?: readonly Capability[]
  /** The command that prints its version; absent: it is a part of this project. */
  readonly version?: Launch
}

/** `answers`: gives answers (the floors do not). `forwards`: asks an upstream and keeps what it says. */
export type Capability = 'answers' | 'forwards' | 'tcp' | 'tls' | 'https'
