/** What another server says it has (an APIResourceList), as aggregated discovery tells it. */
import { isObject } from '#cluster/api/own-property.ts'

interface Listed {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly namespaced: boolean
  readonly singularName: string
  readonly verbs: readonly string[]
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

const read = (value: unknown, place: { readonly group: string; readonly version: string }): Listed[] => {
  if (!isObject(value) || text(value.name) === '') return []
  return [
    {
      name: text(value.name),
      group: text(value.group) || place.group,
      version: text(value.version) || place.version,
      kind: text(value.kind),
      namespaced: value.namespaced === true,
      singularName: text(value.singularName),
      verbs: texts(value.verbs),
      shortNames: texts(value.shortNames),
      categories: texts(value.categories),
    },
  ]
}

const kindOf = ({ group, version, kind }: Listed) => ({ group, version, kind })

const optional = (name: string, list: readonly unknown[]): object => (list.length > 0 ? { [name]: list } : {})

/** `list`: as it came; what makes no sense is left out. Undefined: it is no list. */
export const readResources = (
  list: unknown,
  place: { readonly group: string; readonly version: string },
): readonly unknown[] | undefined => {
  if (!isObject(list) || !Array.isArray(list.resources)) return undefined
  const listed = list.resources.flatMap(item => read(item, place))
  return listed
    .filter(({ name }) => !name.includes('/'))
    .map(resource => {
      const below = listed.filter(({ name }) => name.startsWith(`${resource.name}/`))
      const subresources = below.map(each => ({
        subresource: each.name.slice(resource.name.length + 1),
        responseKind: kindOf(each),
        verbs: each.verbs,
      }))
      return {
        resource: resource.name,
        responseKind: kindOf(resource),
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName,
        verbs: resource.verbs,
        ...optional('shortNames', resource.shortNames),
        ...optional('categories', resource.categories),
        ...optional('subresources', subresources),
      }
    })
}
