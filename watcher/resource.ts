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

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Leaves out what is undefined and what is empty: to the apiserver an empty parameter is an absent one. */
export const withQuery = (path: string, query: Query): string => {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  }
  const text = parameters.toString()
  if (text === '') return path
  return `${path}${path.includes('?') ? '&' : '?'}${text}`
}
