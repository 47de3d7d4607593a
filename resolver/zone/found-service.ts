import type { ServiceView } from '#watcher/views/service.ts'
import type { Endpoint } from './endpoints.ts'
import type { ServiceEntry } from './service-entry.ts'

/** A service that exists, with what its names are made of. */
export interface FoundService {
  readonly entry: ServiceEntry
  readonly service: ServiceView
  readonly form: 'cluster-ip' | 'headless'
  readonly endpoints: () => readonly Endpoint[]
}
