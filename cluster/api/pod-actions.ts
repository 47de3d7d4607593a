/** What is posted to a Pod: where it shall run, and that it shall go if its budget allows. Stored nowhere. */
import type { Kind } from './kind.ts'

/** Also a resource of its own, by which schedulers of old bind the Pod that metadata names. */
export const bindingKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Binding',
  resource: 'bindings',
  singular: 'binding',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'core/v1.Binding',
  hasStatus: false,
  countsGenerations: false,
  verbs: ['create'],
  columns: [],
}

export const evictionKind: Kind = {
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  resource: 'evictions',
  singular: 'eviction',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'policy/v1.Eviction',
  hasStatus: false,
  countsGenerations: false,
  verbs: ['create'],
  columns: [],
}
