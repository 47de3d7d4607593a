/** Which form an answer takes, by the Accept header; which syntax a body has, by its Content-Type. */

import type { BodySyntax } from '#cluster/api/decode.ts'
import { PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import { failure, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'

export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

export interface Negotiated {
  readonly syntax: BodySyntax
  readonly shape: Shape
}

interface MediaRange {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

/** RFC 9110 §12.5.1. */
const parseAccept = (header: string): MediaRange[] =>
  header
    .split(',')
    .map(part => {
      const [type = '', ...pairs] = part.split(';').map(text => text.trim())
      const parameters = new Map(
        pairs.map(pair => {
          const [name = '', value = ''] = pair.split('=')
          return [name.trim().toLowerCase(), value.trim().replace(/^"|"$/g, '')] as const
        }),
      )
      const quality = Number(parameters.get('q') ?? 1)
      return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 0 : quality }
    })
    .filter(({ type, quality }) => type !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality)

const syntaxOf = (type: string, yaml: boolean): BodySyntax | undefined => {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  return type === 'application/yaml' && yaml ? 'yaml' : undefined
}

const SHAPES = new Set<string>(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

const shapeOf = (parameters: ReadonlyMap<string, string>): Shape | undefined => {
  const as = parameters.get('as')
  if (as === undefined) return 'object'
  const version = parameters.get('v')
  if (parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  return SHAPES.has(as) ? (as as Shape) : undefined
}

const notAcceptable = (types: string): Status =>
  failure(406, 'NotAcceptable', `only the following media types are accepted: ${types}`)

/** `watch`: streams come as JSON only. `shapes`: what the answer can be turned into besides the object itself. */
export const negotiate = (
  header: string | undefined,
  { watch = false, transforms = true }: { readonly watch?: boolean; readonly transforms?: boolean } = {},
): Result<Negotiated, Status> => {
  if (!header) return accepted({ syntax: 'json', shape: 'object' })
  for (const { type, parameters } of parseAccept(header)) {
    const syntax = syntaxOf(type, !watch)
    const shape = transforms ? shapeOf(parameters) : parameters.has('as') ? undefined : 'object'
    if (syntax && shape) return accepted({ syntax, shape })
  }
  return refused(notAcceptable(watch ? 'application/json;stream=watch' : 'application/json, application/yaml'))
}

/** Failures answer in YAML only to those who take nothing else first. */
export const errorSyntax = (header: string | undefined): BodySyntax =>
  parseAccept(header ?? '')
    .map(({ type }) => syntaxOf(type, true))
    .find(syntax => syntax !== undefined) ?? 'json'

export const mediaType = (header: string | undefined): string => (header ?? '').split(';')[0]!.trim().toLowerCase()

/** A body without a Content-Type is JSON, as in Kubernetes. Protobuf has become JSON where the body was read. */
export const bodySyntax = (contentType: string | undefined): Result<BodySyntax, Status> => {
  const type = mediaType(contentType)
  if (type === '' || type === 'application/json' || type === PROTOBUF_MEDIA_TYPE) return accepted('json')
  if (type === 'application/yaml') return accepted('yaml')
  return refused(unsupportedMediaType(['application/json', 'application/yaml', PROTOBUF_MEDIA_TYPE]))
}

export const unsupportedMediaType = (types: readonly string[]): Status =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
  )
