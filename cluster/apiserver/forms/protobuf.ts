/** The same in Kubernetes's protobuf: objects as they are, and metadata only. Tables have no such form. */
import type { Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import {
  encodeListProtobuf,
  encodeMessage,
  encodeProtobuf,
  encodeWatchEvent,
  envelope,
  type Identity,
} from '#cluster/api/protobuf/encode.ts'
import { type Form, listMetadata } from './form.ts'
import { Segments } from './segments.ts'

/** Bytes before each event's message on a stream: its length, big-endian (k8s.io/apimachinery, "util/framer"). */
export const FRAME_HEAD = 4

const protobufFrame = (type: string, object: Buffer): Buffer => {
  const event = encodeWatchEvent(type, object)
  const head = Buffer.alloc(FRAME_HEAD)
  head.writeUInt32BE(event.length)
  return Buffer.concat([head, event])
}

const identityOf = (kind: Kind, suffix = ''): Identity => ({ apiVersion: apiVersionOf(kind), kind: kind.kind + suffix })

const whole = (kind: Kind, object: ApiObject): Buffer => encodeProtobuf({ ...object, ...identityOf(kind) }, kind.type)

export const protobufForm: Form = {
  id: 'protobuf',
  firstDiffers: false,
  object: (kind, { object }) => whole(kind, object),
  list: (kind, list) =>
    new Segments(
      encodeListProtobuf(identityOf(kind, 'List'), listMetadata(list), {
        type: kind.type,
        objects: list.items.map(({ object }) => object),
      }),
    ),
  watched: ({ kind, object }) => whole(kind, object),
  bookmark: (kind, metadata) => encodeProtobuf({ ...identityOf(kind), metadata }, kind.type),
  frame: protobufFrame,
}

const TYPE = 'meta/v1.PartialObjectMetadata'
const PARTIAL: Identity = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata' }

const partial = (metadata: object): Buffer => envelope(PARTIAL, encodeMessage({ metadata }, TYPE))

export const protobufMetadataForm: Form = {
  id: 'protobuf/metadata',
  firstDiffers: false,
  object: (_kind, { object }) => partial(object.metadata),
  list: (_kind, list) =>
    new Segments(
      encodeListProtobuf({ ...PARTIAL, kind: 'PartialObjectMetadataList' }, listMetadata(list), {
        type: TYPE,
        objects: list.items.map(({ object: { metadata } }) => ({ metadata })),
      }),
    ),
  watched: ({ object }) => partial(object.metadata),
  bookmark: (_kind, metadata) => partial(metadata),
  frame: protobufFrame,
}
