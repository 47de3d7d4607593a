/** Which form an answer takes, by the Accept header; which syntax a body has, by its Content-Type. */

import type { BodySyntax } from '#cluster/api/decode.ts'
import { PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import { failure, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'

export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

/** What an answer can be written in. */
export type AnswerSyntax = BodySyntax | 'protobuf'

export interface Negotiated {
  readonly syntax: AnswerSyntax
  readonly shape: Shape
}

interface MediaRange {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

/** RFC 9110 §12.5.1. */
export const parseAccept = (header: string): MediaRange[] =>
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

interface Offer {
  readonly yaml: boolean
  readonly protobuf: boolean
}

const syntaxOf = (type: string, { yaml, protobuf }: Offer): AnswerSyntax | undefined => {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json'
  if (type === PROTOBUF_MEDIA_TYPE && protobuf) return 'protobuf'
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

const acceptable = (watch: boolean, { yaml, protobuf }: Offer): string =>
  ['application/json', ...(yaml ? ['application/yaml'] : []), ...(protobuf ? [PROTOBUF_MEDIA_TYPE] : [])]
    .map(type => (watch ? `${type};stream=watch` : type))
    .join(', ')

interface Asked {
  /** Of a stream: there is none in YAML. */
  readonly watch?: boolean
  /** Whether the answer can be turned into something else than the object itself. */
  readonly transforms?: boolean
  /** Whether what is answered has a form in protobuf. */
  readonly protobuf?: boolean
}

/** The first that can be given of what is wanted. Refused: 406. */
export const negotiate = (
  header: string | undefined,
  { watch = false, transforms = true, protobuf = false }: Asked = {},
): Result<Negotiated, Status> => {
  if (!header) return accepted({ syntax: 'json', shape: 'object' })
  const offer = { yaml: !watch, protobuf }
  for (const { type, parameters } of parseAccept(header)) {
    const syntax = syntaxOf(type, offer)
    const shape = transforms ? shapeOf(parameters) : parameters.has('as') ? undefined : 'object'
    // metav1.Table has no protobuf.
    if (syntax && shape && !(syntax === 'protobuf' && shape === 'Table')) return accepted({ syntax, shape })
  }
  return refused(notAcceptable(acceptable(watch, offer)))
}

/** Failures answer in something else than JSON only to those who take nothing else first. */
export const errorSyntax = (header: string | undefined): AnswerSyntax =>
  parseAccept(header ?? '')
    .map(({ type }) => syntaxOf(type, { yaml: true, protobuf: true }))
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
