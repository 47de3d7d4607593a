/** Options that several programs share, defined once. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '#lib/log-options.ts'

export interface LogFlags {
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

export const withLogOptions = (command: Command): Command =>
  command
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(LOG_LEVELS).default('info'))
    .addOption(new Option('--log-format <format>', 'for people or for collectors').choices(LOG_FORMATS).default('text'))

/** An empty value is what a script passes whose variable is unset; it must not mean the working directory. */
const notEmpty = (text: string): string => {
  if (text === '') throw new InvalidArgumentError('It is empty.')
  return text
}

export const dataDirOption = (): Option =>
  new Option('--data-dir <dir>', "the cluster's directory: database, CA, kubeconfigs, logs")
    .argParser(notEmpty)
    .default('.seamark')

/** RFC 1123 §2.1, as Kubernetes asks it of namespaces: at most 63 characters. */
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

const dnsLabel = (text: string): string => {
  if (!DNS_LABEL.test(text)) throw new InvalidArgumentError('It is not a DNS label (a-z, 0-9 and -, at most 63).')
  return text
}

export const namespaceOption = (doc: string): Option =>
  new Option('-n, --namespace <namespace>', doc).argParser(dnsLabel).default('default')

/** Defaults of the cluster's addresses, as kubeadm sets them. */
export const CLUSTER_DOMAIN = 'cluster.local'
export const SERVICE_CIDR = '10.96.0.0/12'
export const CLUSTER_DNS = '10.96.0.10'

/** What `seamark up` serves where, unless told otherwise. */
export const DEFAULT_ADDRESSES = {
  apiserver: '127.0.0.1:6443',
  dns: '127.0.0.1:1053',
  metrics: '127.0.0.1:9153',
  health: '127.0.0.1:8080',
  ready: '127.0.0.1:8181',
  admin: '127.0.0.1:9154',
} as const
