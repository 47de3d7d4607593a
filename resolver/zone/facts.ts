/** What `ClusterIndex` tells the board of when it changes, by name: answers rest on it. */
export const facts = {
  /** Whether the namespace exists and is served. */
  namespace: (name: string): string => `namespace ${name}`,
  /** The service and its endpoints, as clients see them. */
  service: (namespace: string, name: string): string => `service ${namespace}/${name}`,
  imported: (namespace: string, name: string): string => `import ${namespace}/${name}`,
  /** Addresses of live pods. */
  pods: 'pods',
  /** Which addresses have names: any change of a service or an endpoint. */
  reverse: 'reverse',
  /** That what the lists do not have does not exist: over when a watch is lost. */
  absence: 'absence',
} as const
