/**
 * The versions of a definition whose author runs a conversion webhook. As in Kubernetes an object is completed by the
 * schema of the version that it was written in before it is converted, and cut to the schema of the other one after.
 */
import { randomUUID } from 'node:crypto'
import { cloneJson } from '#cluster/api/clone.ts'
import { conversionReview, describeObject, readConversion } from '#cluster/api/custom/conversion-review.ts'
import type { DefinitionSpec } from '#cluster/api/custom/definition.ts'
import { coerceResource } from '#cluster/api/custom/embedded.ts'
import { prune } from '#cluster/api/custom/prune.ts'
import { completeResource, encodeResource } from '#cluster/api/custom/read-resource.ts'
import { readSchema, type Schema } from '#cluster/api/custom/schema.ts'
import type { Converter } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { type Status, unexplained } from '#cluster/api/status.ts'
import type { Milliseconds } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { WebhookClients } from '../webhook/webhook-clients.ts'

/** As long as Kubernetes waits. */
const TIMEOUT: Milliseconds = 30_000

/** By apiVersion. */
type Schemas = ReadonlyMap<string, Schema>

const schemasOf = ({ group = '', versions = [] }: DefinitionSpec): Schemas =>
  new Map(versions.map(({ name, schema }) => [`${group}/${name}`, readSchema(schema?.openAPIV3Schema ?? {})]))

/** Nothing is in it that anybody could convert. */
const isEmpty = ({ apiVersion: _apiVersion, kind: _kind, metadata = {}, ...rest }: ApiObject): boolean =>
  Object.keys(metadata).length === 0 && Object.keys(rest).length === 0

const failed = (object: ApiObject, reason: string): Status =>
  unexplained(`conversion webhook for ${describeObject(object)} failed: ${reason}`)

/** A copy, as its own version has it. */
const complete = (schemas: Schemas, object: ApiObject): ApiObject => {
  const read = cloneJson(object)
  const schema = schemas.get(object.apiVersion)
  if (schema) completeResource(read, schema)
  return read
}

/** The same object, with nothing in it that its version does not know. */
const cut = (schemas: Schemas, object: ApiObject): Result<ApiObject, Status> => {
  const schema = schemas.get(object.apiVersion)
  if (!schema) return accepted(object)
  const { problem } = coerceResource(object, schema)
  if (problem !== undefined) return refused(failed(object, problem))
  prune(object, schema, true)
  return accepted(encodeResource(object) as ApiObject)
}

/** Undefined: the definition has no such webhook. */
export const webhookConverter = (spec: DefinitionSpec, clients: WebhookClients): Converter | undefined => {
  const { group = '', versions = [], conversion } = spec
  if (conversion?.strategy !== 'Webhook') return undefined
  const { clientConfig = {}, conversionReviewVersions = [] } = conversion.webhook ?? {}
  const schemas = schemasOf(spec)

  /** None of `objects` has the version `desired`. */
  const ask = async (objects: readonly ApiObject[], desired: string): Promise<Result<readonly ApiObject[], Status>> => {
    const request = { uid: randomUUID(), desired, objects }
    const review = conversionReview(request, conversionReviewVersions)
    let answer: unknown
    try {
      answer = await clients.post(clientConfig, review.body, { timeout: TIMEOUT })
    } catch (error) {
      return refused(failed(objects[0]!, (error as Error).message))
    }
    const read = readConversion(answer, request, review)
    return read.ok ? read : refused(unexplained(read.problem))
  }

  return {
    storedAs: `${group}/${versions.find(({ storage }) => storage)?.name}`,
    async convert(objects, apiVersion) {
      const whole = objects.map(object => (isEmpty(object) ? { ...object, apiVersion } : complete(schemas, object)))
      const foreign = whole.filter(object => object.apiVersion !== apiVersion)
      const answered = foreign.length > 0 ? await ask(foreign, apiVersion) : accepted([])
      if (!answered.ok) return answered
      const answers = answered.value.values()
      const converted: ApiObject[] = []
      for (const object of whole) {
        const one = object.apiVersion === apiVersion ? accepted(object) : cut(schemas, answers.next().value!)
        if (!one.ok) return one
        converted.push(one.value)
      }
      return accepted(converted)
    },
  }
}
