/** The class of its kind that is for those who name none: the newest that is marked as the default. */
import type { Kind } from '#cluster/api/kind.ts'
import type { Cacher } from './storage/cacher.ts'

/** Its name. `marks`: annotations that say so. */
export const defaultClass = (cacher: Cacher, kind: Kind, marks: readonly string[]): string | undefined => {
  const [newest] = cacher
    .cache(kind)
    .list()
    .map(({ object }) => object.metadata)
    .filter(({ annotations = {} }) => marks.some(mark => annotations[mark] === 'true'))
    .sort((a, b) => {
      const [one, other] = [a.creationTimestamp ?? '', b.creationTimestamp ?? '']
      if (one !== other) return one > other ? -1 : 1
      return (a.name ?? '') < (b.name ?? '') ? -1 : 1
    })
  return newest?.name
}
