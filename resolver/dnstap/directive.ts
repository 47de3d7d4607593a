/** CoreDNS's `dnstap` directive: `dnstap [listen] SOCKET [full] [WRITEBUFFER] [QUEUE]`, and its properties. */
import type { SecureContextOptions } from 'node:tls'
import { parseAddress, type SocketAddress } from '#lib/address.ts'
import type { DirectiveReader, PropertyTable } from '../corefile/directive-reader.ts'
import type { Directive, Property, Word } from '../corefile/syntax.ts'
import { parseReplyTemplate, type ReplyTemplate } from '../reply-template.ts'
import { type MessageType, messageTypes } from './message.ts'

export const dnstapOptions = {
  identity: {
    kind: 'words',
    syntax: 'TEXT',
    minimum: 1,
    maximum: 1,
    absent: 'the machine’s name',
    doc: 'who says that it saw the messages',
  },
  version: {
    kind: 'words',
    syntax: 'TEXT',
    minimum: 1,
    maximum: 1,
    absent: '`Seamark-` and the version',
    doc: 'what program it says that it is',
  },
  extra: {
    kind: 'words',
    syntax: 'TEMPLATE',
    minimum: 1,
    maximum: 1,
    absent: 'nothing',
    doc: 'what to add to messages of clients, with the placeholders of `log` ({/LABEL}: metadata)',
  },
  message_types: {
    kind: 'words',
    syntax: 'TYPE…',
    minimum: 1,
    maximum: 4,
    absent: 'all',
    doc: 'the messages to tell of: CLIENT_QUERY, CLIENT_RESPONSE, FORWARDER_QUERY, FORWARDER_RESPONSE',
  },
  tls: {
    kind: 'words',
    syntax: 'CERT KEY [CA]',
    minimum: 2,
    maximum: 3,
    absent: 'needed for `listen tls://`',
    doc: 'the certificate to show, its key, and whose certificates the other side must have (default: whom the system trusts; with `listen`, none)',
  },
  skipverify: { kind: 'flag', doc: 'take any certificate of the other side' },
} as const satisfies PropertyTable

export type Place =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'tls'; readonly address: SocketAddress }

export interface DnstapSettings {
  /** Whether readers come here, instead of being called. */
  readonly listens: boolean
  readonly place: Place
  /** As it was written, for logs and metrics. */
  readonly endpoint: string
  /** Whether messages are told with their bytes. */
  readonly full: boolean
  /** Bytes that may wait in a socket. */
  readonly buffer: number
  /** Messages that may wait for a reader. */
  readonly capacity: number
  readonly identity: string | undefined
  readonly version: string | undefined
  readonly extra: ReplyTemplate
  readonly types: ReadonlySet<MessageType>
  readonly tls: SecureContextOptions
  readonly skipsVerification: boolean
}

const MEBIBYTE = 1024 * 1024
/** CoreDNS's units: so many MiB, and so many times 10,000 messages. */
const BUFFERS = { minimum: 1, maximum: 1024, unit: 'MiB' } as const
const QUEUES = { minimum: 1, maximum: 4096, unit: 'times 10,000 messages' } as const
const QUEUE = 10_000

const readPlace = (reader: DirectiveReader, word: Word, resolvePath: (path: string) => string): Place => {
  const [, scheme, rest = ''] = /^(tcp|tls):\/\/(.*?)\/?$/.exec(word.text) ?? []
  if (scheme === undefined) return { kind: 'unix', path: resolvePath(word.text.replace(/^unix:\/\//, '')) }
  const address = parseAddress(rest)
  if (!address.ok) reader.refuse(word, address.problem)
  return { kind: scheme as 'tcp' | 'tls', address: address.ok ? address.value : { host: '', port: 0 } }
}

const readSizes = (reader: DirectiveReader, [buffer, queue, surplus]: readonly Word[]) => {
  if (surplus) reader.refuse(surplus, `"${surplus.text}" is one word too many`)
  return {
    buffer: MEBIBYTE * (buffer ? reader.number(buffer, BUFFERS) : 1),
    capacity: QUEUE * (queue ? reader.number(queue, QUEUES) : 1),
  }
}

export interface Files {
  readonly resolvePath: (path: string) => string
  readonly read: (path: string) => Buffer
}

const readTls = (reader: DirectiveReader, [line]: readonly Property[], { read }: Files): SecureContextOptions => {
  if (!line) return {}
  const [cert, key, ca] = line.arguments.map(word => {
    try {
      return read(word.text)
    } catch (error) {
      reader.refuse(word, `"${word.text}" cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      return Buffer.alloc(0)
    }
  })
  return { cert: cert!, key: key!, ...(ca && { ca }) }
}

export const readDnstap = (reader: DirectiveReader, directive: Directive, files: Files): DnstapSettings => {
  const values = reader.properties(dnstapOptions)
  const words = [...directive.arguments]
  const listens = words[0]?.text === 'listen'
  if (listens) words.shift()
  const socket = words.shift()
  if (!socket) reader.refuse(directive.name, 'needs a socket: a path, tcp://HOST:PORT or tls://HOST:PORT')
  const place = readPlace(reader, socket ?? { ...directive.name, text: '' }, files.resolvePath)
  const full = words[0]?.text === 'full'
  if (full) words.shift()
  if (listens && place.kind === 'tls' && values.tls.length === 0)
    reader.refuse(directive.name, 'needs "tls": the certificate to show to readers')
  const [extra] = values.extra[0]?.arguments ?? []
  const template = parseReplyTemplate(extra?.text ?? '')
  if (!template.ok) reader.refuse(extra!, template.problem)
  const names = Object.keys(messageTypes) as MessageType[]
  const types = values.message_types.flatMap(line => line.arguments.map(word => reader.choice(word, names)))
  return {
    listens,
    place,
    endpoint: socket?.text ?? '',
    full,
    ...readSizes(reader, words),
    identity: values.identity[0]?.arguments[0]?.text,
    version: values.version[0]?.arguments[0]?.text,
    extra: template.ok ? template.value : [],
    types: new Set(types.length > 0 ? types : names),
    tls: readTls(reader, values.tls, files),
    skipsVerification: values.skipverify,
  }
}
