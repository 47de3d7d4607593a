/** A request on a resource, as the routes of all verbs get it. */

import { hasProtobuf } from '#cluster/api/protobuf/encode.ts'
import { badRequest, failure, type Status } from '#cluster/api/status.ts'
import type { Clock } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { User } from '../authenticator.ts'
import type { Form } from '../forms/form.ts'
import type { MetaVersion } from '../forms/meta-version.ts'
import { partialMetadataForms } from '../forms/partial-metadata.ts'
import { protobufForm, protobufMetadataForm } from '../forms/protobuf.ts'
import { type IncludeObject, tableForm } from '../forms/table.ts'
import { wholeForm } from '../forms/whole.ts'
import type { Registry, Resource } from '../registry.ts'
import type { Subresource } from '../verbs/request.ts'
import type { Request, Response } from './exchange.ts'
import { type AnswerSyntax, type Negotiated, negotiate } from './negotiate.ts'

export interface ResourceCall {
  readonly registry: Registry
  readonly request: Request
  readonly response: Response
  readonly query: URLSearchParams
  readonly user: User
  /** Why the user may not create the object at the path; undefined: it may. */
  readonly refuseCreate: () => Promise<Status | undefined>
  readonly accept: string | undefined
  readonly resource: Resource
  readonly namespace: string | undefined
  /** Undefined: the collection. */
  readonly name: string | undefined
  readonly subresource: Subresource | undefined
  /** Warnings for the client, each once. */
  readonly warnings: Set<string>
}

const INCLUDES = new Set<string>(['Metadata', 'Object', 'None'])

const tableOf = (query: URLSearchParams, version: MetaVersion, clock: Clock): Result<Form, Status> => {
  const include = query.get('includeObject') || 'Metadata'
  if (INCLUDES.has(include)) return accepted(tableForm({ include: include as IncludeObject, version }, clock))
  const detail = `includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`
  return refused(badRequest(`Unable to convert to Table as requested: ${detail}`))
}

const mismatch = (wanted: string, is: string): Status =>
  failure(406, 'NotAcceptable', `you requested ${wanted}, but the requested object is ${is}`)

/** What decides about the form. */
interface FormCall extends Pick<ResourceCall, 'query' | 'accept'> {
  readonly registry: Pick<Registry, 'clock'>
  readonly resource: Pick<Resource, 'kind'>
}

const formFor = (
  { shape, syntax, version }: Negotiated,
  { query, registry }: FormCall,
  many: boolean,
): Result<Form, Status> => {
  const metadata = syntax === 'protobuf' ? protobufMetadataForm : partialMetadataForms[version]
  switch (shape) {
    case 'object':
      return accepted(syntax === 'protobuf' ? protobufForm : wholeForm)
    case 'Table':
      return tableOf(query, version, registry.clock)
    case 'PartialObjectMetadata':
      return many ? refused(mismatch(shape, 'a list')) : accepted(metadata)
    case 'PartialObjectMetadataList':
      return many ? accepted(metadata) : refused(mismatch(shape, 'not a list'))
  }
}

export interface Wanted {
  readonly form: Form
  readonly syntax: AnswerSyntax
}

/** What is answered with: an object that was read or written, a list, a stream of changes. */
type Amount = 'one' | 'written' | 'many' | 'stream'

/** The form that the client wants. Refused: 406. */
export const wantedForm = (call: FormCall, amount: Amount): Result<Wanted, Status> => {
  const protobuf = hasProtobuf(call.resource.kind.type)
  const negotiated = negotiate(call.accept, { watch: amount === 'stream', protobuf })
  if (!negotiated.ok) return negotiated
  const { shape, syntax, version } = negotiated.value
  // Those who list metadata ask in the same way when they write or watch.
  const whole = shape === 'PartialObjectMetadataList' && (amount === 'written' || amount === 'stream')
  const form = formFor({ shape: whole ? 'object' : shape, syntax, version }, call, amount === 'many')
  return form.ok ? accepted({ form: form.value, syntax }) : form
}
