/** apply: a PATCH with an applied configuration (server-side apply, KEP-555). It makes the object where there is none. */
import { runTimeType } from '#cluster/api/custom/run-time-type.ts'
import { decodeValue } from '#cluster/api/decode-value.ts'
import { fieldInvalid } from '#cluster/api/field-error.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { conflict, invalid, type Status, unexplained } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { applyConfiguration, describeConfiguration } from '../apply/field-manager.ts'
import type { Registry } from '../registry.ts'
import { fieldWrite, setOwners } from './field-write.ts'
import { subjectOf, type WriteOptions } from './request.ts'
import { type Change, rewrite, type Updated, type UpdateTarget } from './update.ts'

type JsonObject = Record<string, unknown>

export interface Application {
  /** As the client wrote it. */
  readonly configuration: JsonObject
  /** Whether fields that others own are taken from them. */
  readonly force: boolean
  /** Whether it makes what is not there. Default: yes. */
  readonly creates?: boolean
  /** Asked when the configuration has been merged: what is wrong with how it was written. */
  readonly objection: () => Status | undefined
}

const decode = (kind: Kind, value: JsonObject, configuration: JsonObject): Result<ApiObject, Status> => {
  const decoded = runTimeType(kind.type)?.decodeMerged(value) ?? decodeValue(value, kind.type)
  if (!decoded.ok) {
    const subject = describeConfiguration(configuration)
    return refused(unexplained(`failed to convert new object (${subject}) to proper version: ${decoded.problem}`))
  }
  const read = decoded.value.value
  const metadata = isObject(read.metadata) ? read.metadata : {}
  return accepted({ ...read, kind: kind.kind, apiVersion: apiVersionOf(kind), metadata })
}

const checkUid = (target: UpdateTarget, { uid }: ApiObject['metadata'], current?: ApiObject): Status | undefined => {
  if (!uid || uid === current?.metadata.uid) return undefined
  const subject = subjectOf(target)
  if (current) return invalid(subject, [fieldInvalid('metadata.uid', uid, 'field is immutable')])
  return conflict(subject, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`)
}

/** Refused as an update is, and 409 with a cause for each field where the configuration would change what others own. */
export const apply = (
  registry: Registry,
  target: UpdateTarget,
  { configuration, force, creates = true, objection }: Application,
  options: WriteOptions,
): Promise<Result<Updated, Status>> => {
  const { kind } = target.resource
  const change: Change = current => {
    const applied = applyConfiguration(fieldWrite(registry, target, options), current, configuration, force)
    if (!applied.ok) return applied
    const refusal = objection()
    if (refusal) return refused(refusal)
    const decoded = decode(kind, applied.value.value, configuration)
    if (!decoded.ok) return decoded
    const problem = checkUid(target, decoded.value.metadata, current)
    if (problem) return refused(problem)
    setOwners(decoded.value, applied.value.managedFields)
    return decoded
  }
  return rewrite(registry, target, { change, owned: true, creates }, options)
}
