/** Which list of the API a reader wants. */
export interface Resource {
  /** `''` for core. */
  readonly group: string
  readonly version: string
  /** Plural, lower case: `endpointslices`. */
  readonly resource: string
}

/** `/api/v1/services`, `/apis/discovery.k8s.io/v1/namespaces/x/endpointslices`. */
export const resourcePath = ({ group, version, resource }: Resource, namespace?: string): string => {
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return namespace === undefined
    ? `${base}/${resource}`
    : `${base}/namespaces/${encodeURIComponent(namespace)}/${resource}`
}
