/** What every verb gets and gives. */
import type { ApiObject } from '#cluster/api/object.ts'
import type { Subject } from '#cluster/api/status.ts'
import type { Resource } from '../registry.ts'

/** An object to answer with; `json` where it is serialised already. */
export interface Representation {
  readonly object: ApiObject
  readonly json?: Buffer
}

export interface ObjectTarget {
  readonly resource: Resource
  /** Undefined for what lies in no namespace. */
  readonly namespace: string | undefined
  readonly name: string
}

export interface WriteOptions {
  /** Everything but the write itself. */
  readonly dryRun: boolean
  /** Who is recorded as the owner of the fields that the write changes; `''` where nobody says. */
  readonly manager: string
  /** Takes a warning for the client. */
  readonly warn: (text: string) => void
}

export type Subresource = 'status' | 'finalize'

export const subjectOf = ({ resource: { kind }, name }: Pick<ObjectTarget, 'resource' | 'name'>): Subject => ({
  group: kind.group,
  resource: kind.resource,
  kind: kind.kind,
  name,
})
