/** Which form an answer takes, by the Accept header; which syntax a body has, by its Content-Type. */

import type { BodySyntax } from '#cluster/api/decode.ts'
import { PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import { failure, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { MetaVersion } from '../forms/meta-version.ts'

export type Shape = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'

/** What an answer can be written in. */
export type AnswerSyntax = BodySyntax | 'protobuf'

export interface Negotiated {
  readonly syntax: AnswerSyntax
  readonly shape: Shape
  /** Of the shapes of meta.k8s.io. */
  readonly version: MetaVersion
}

interface MediaRange {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

const isRange = (type: string): boolean => type.includes('*')

/** RFC 9110 §12.5.1: the best first, and what is named before what is meant. */
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
    .sort((a, b) => b.quality - a.quality || Number(isRange(a.type)) - Number(isRange(b.type)))

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

const transformed = (parameters: ReadonlyMap<string, string>): boolean =>
  ['as', 'g', 'v'].some(name => parameters.has(name))

type Form = Pick<Negotiated, 'shape' | 'version'>

const PLAIN: Form = { shape: 'object', version: 'v1' }

const formOf = (parameters: ReadonlyMap<string, string>): Form | undefined => {
  if (!transformed(parameters)) return PLAIN
  const [shape = '', version] = [parameters.get('as'), parameters.get('v')]
  if (parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  return SHAPES.has(shape) ? { shape: shape as Shape, version } : undefined
}

/** Of other streams than watches nobody knows, nor of other versions of the server. */
const isKnown = (parameters: ReadonlyMap<string, string>, transforms: boolean): boolean =>
  ['', 'watch'].includes(parameters.get('stream') ?? '') &&
  ['', ...(transforms ? ['v1'] : [])].includes(parameters.get('sv') ?? '')

/** metav1.Table has no protobuf; of the old version there is none at all. */
const hasForm = (syntax: AnswerSyntax, { shape, version }: Form): boolean =>
  syntax !== 'protobuf' || (shape !== 'Table' && version === 'v1')

const notAcceptable = (types: string): Status =>
  failure(406, 'NotAcceptable', `only the following media types are accepted: ${types}`)

/** As Kubernetes lists them, whether or not what is asked for has each: a stream has no YAML, and that alone is told. */
const acceptable = (isStreamOfYaml: boolean): string =>
  isStreamOfYaml
    ? ['application/json', PROTOBUF_MEDIA_TYPE].map(type => `${type};stream=watch`).join(', ')
    : ['application/json', 'application/yaml', PROTOBUF_MEDIA_TYPE].join(', ')

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
  if (!header) return accepted({ syntax: 'json', ...PLAIN })
  const offer = { yaml: !watch, protobuf }
  const ranges = parseAccept(header)
  for (const { type, parameters } of ranges) {
    const syntax = syntaxOf(type, offer)
    const form = transforms || !transformed(parameters) ? formOf(parameters) : undefined
    if (syntax && form && isKnown(parameters, transforms) && hasForm(syntax, form)) return accepted({ syntax, ...form })
  }
  const isYaml = ranges.some(({ type, parameters }) => type === 'application/yaml' && formOf(parameters))
  return refused(notAcceptable(acceptable(watch && isYaml)))
}

/** Whether JSON is wanted as people read it. */
export const wantsIndented = (header: string | undefined): boolean =>
  header?.includes('pretty') === true &&
  parseAccept(header)
    .find(({ type, parameters }) => syntaxOf(type, { yaml: false, protobuf: false }) && formOf(parameters))
    ?.parameters.get('pretty') === '1'

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
