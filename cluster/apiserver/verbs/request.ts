/** What every verb gets and gives. */
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status, Subject } from '#cluster/api/status.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { User } from '../authenticator.ts'
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
  /** The subresource that the manager wrote through, where the verb itself writes the whole object. */
  readonly through?: 'scale'
  /** Who writes; absent: the apiserver itself, which admission does not judge. */
  readonly user?: User
  /** The refusal of a PUT that would create where its user may not; absent: it may. */
  readonly refuseCreate?: () => Promise<Status | undefined>
  /** Takes a warning for the client. */
  readonly warn: (text: string) => void
}

/** `status`, `finalize`, or one of the kind's own parts. */
export type Subresource = string

export const subjectOf = ({ resource: { kind }, name }: Pick<ObjectTarget, 'resource' | 'name'>): Subject => ({
  group: kind.group,
  resource: kind.resource,
  kind: kind.kind,
  name,
})

const OPTIONS = { create: 'CreateOptions', update: 'UpdateOptions', delete: 'DeleteOptions' } as const

/** What admission is asked; undefined: it is not asked, since the apiserver itself writes. `said`: of DeleteOptions. */
export const admissionRequest = (
  { resource, namespace, name, subresource }: ObjectTarget & { readonly subresource?: string | undefined },
  verb: AdmissionRequest['verb'],
  { object, current }: { readonly object: ApiObject; readonly current?: ApiObject | undefined },
  { user, dryRun, manager, through, warn }: WriteOptions,
  said: Readonly<Record<string, unknown>> = manager === '' ? {} : { fieldManager: manager },
): AdmissionRequest | undefined =>
  user && {
    verb,
    kind: resource.kind,
    subresource: subresource ?? through ?? '',
    namespace,
    name,
    object,
    current,
    user,
    dryRun,
    options: { kind: OPTIONS[verb], apiVersion: 'meta.k8s.io/v1', ...said, ...(dryRun ? { dryRun: ['All'] } : {}) },
    warn,
  }
