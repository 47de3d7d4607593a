/** Columns of `kubectl get`, made short to write. */
import { ageSince } from './age.ts'
import type { Column } from './kind.ts'
import type { ApiObject } from './object.ts'

type Value = Column['value']

const made = (name: string, description: string, value: Value, priority: 0 | 1, type = 'string'): Column => ({
  name,
  type,
  format: '',
  description,
  priority,
  value,
})

/** Always shown. */
export const column = (name: string, description: string, value: Value): Column => made(name, description, value, 0)

/** Shown with `-o wide`. */
export const wideColumn = (name: string, description: string, value: Value): Column => made(name, description, value, 1)

export const integerColumn = (name: string, description: string, value: Value, priority: 0 | 1 = 0): Column =>
  made(name, description, value, priority, 'integer')

/** kubectl prints `true` or `false`. */
export const booleanColumn = (name: string, description: string, value: Value): Column =>
  made(name, description, value, 0, 'boolean')

export const ageColumn: Column = column('Age', 'Time since the object was created.', (object, now) =>
  ageSince(object.metadata.creationTimestamp, now),
)

/** Of kinds that Kubernetes has no columns of its own for. */
export const createdColumn: Column = {
  ...column('Created At', 'When it was created.', ({ metadata }) => metadata.creationTimestamp ?? ''),
  type: 'date',
}

/**
 * What several columns of a row show, made once for all of them: it is kept for the object and the moment that were asked for
 * last. The object must not change in between; what is in memory never does.
 */
export const oncePerRow = <Summary>(
  summarise: (object: ApiObject, now: number) => Summary,
): ((object: ApiObject, now: number) => Summary) => {
  let last: { readonly object: ApiObject; readonly now: number; readonly summary: Summary } | undefined
  return (object, now) => {
    if (last?.object !== object || last.now !== now) last = { object, now, summary: summarise(object, now) }
    return last.summary
  }
}

/** What an empty cell shows. */
export const orNone = (text: string | undefined): string => (text === undefined || text === '' ? '<none>' : text)

/** `a=1,b=2`, or `<none>`. */
export const labelsText = (labels: Readonly<Record<string, string>> | undefined): string =>
  orNone(
    Object.entries(labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
  )
