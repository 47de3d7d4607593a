/** Options that several programs share, defined once. */
import { type Command, Option } from 'commander'
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '#lib/log.ts'

export interface LogFlags {
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

export const withLogOptions = (command: Command): Command =>
  command
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(LOG_LEVELS).default('info'))
    .addOption(new Option('--log-format <format>', 'for people or for collectors').choices(LOG_FORMATS).default('text'))

export const dataDirOption = (): Option =>
  new Option('--data-dir <dir>', "the cluster's directory: database, CA, kubeconfigs, logs").default('.seamark')

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
} as const
