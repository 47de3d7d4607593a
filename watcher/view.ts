import type { Resource } from './resource.ts'

/**
 * A kind stripped to what its readers need. The reflector decodes an object, keeps what `strip` returns and drops the
 * rest at once, so that memory grows with what is read and not with what clients write (managedFields, annotations …).
 * Each view is one file in `views/`.
 */
export interface View<Object> {
  readonly resource: Resource
  /** `raw` is the decoded JSON of one object as the API sent it. Must not keep references into it beyond strings. */
  strip(raw: Readonly<Record<string, unknown>>): Object
}
