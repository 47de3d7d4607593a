/** What the apiserver can be told. */
import type { OptionTable } from '#lib/options.ts'

export const APISERVER_OPTIONS = {
  historySize: {
    type: 'number',
    default: 4096,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'changes',
    doc: 'changes of each kind that are kept in memory for watches that resume',
  },
  compactionInterval: {
    type: 'number',
    default: 300_000,
    minimum: 1_000,
    maximum: 86_400_000,
    unit: 'ms',
    doc: 'how often history older than one interval is forgotten (kube-apiserver: --etcd-compaction-interval)',
  },
} as const satisfies OptionTable
