/** Who reads a server's dnstap frames: one reader that is called, or those that come. */
import { unlinkSync } from 'node:fs'
import { connect, createServer, isIP, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { DnstapSettings } from './directive.ts'
import { FrameStream, type FrameStreamOptions } from './frame-stream.ts'

const CONTENT_TYPE = 'protobuf:dnstap.Dnstap'
/** Readers that may come to one listener. */
const MOST_READERS = 16

export interface ReadersOptions {
  readonly settings: DnstapSettings
  readonly clock: Clock
  readonly random: Random
  readonly onDrop: () => void
  readonly onConnect: () => void
  readonly onDisconnect: (reason: string) => void
}

export interface Readers {
  /** Rejects with the system's error where it cannot listen. */
  readonly start: () => Promise<void>
  readonly write: (frame: Buffer) => void
  readonly close: () => Promise<void>
}

const streamOptions = ({ settings, ...rest }: ReadersOptions): Omit<FrameStreamOptions, 'open' | 'reconnects'> => ({
  ...rest,
  contentType: CONTENT_TYPE,
  capacity: settings.capacity,
  buffer: settings.buffer,
})

/** Calls the reader, again and again. */
const callReader = (options: ReadersOptions): Readers => {
  const { place, tls, skipsVerification } = options.settings
  const open = (onReady: () => void): Socket => {
    if (place.kind === 'unix') return connect({ path: place.path }, onReady)
    const { host, port } = place.address
    if (place.kind === 'tcp') return connect({ host, port }, onReady)
    const named = isIP(host) === 0 ? { servername: host } : {}
    return connectTls({ ...tls, ...named, host, port, rejectUnauthorized: !skipsVerification }, onReady)
  }
  const stream = new FrameStream({ ...streamOptions(options), open, reconnects: true })
  return {
    start: async () => stream.start(),
    write: frame => stream.write(frame),
    close: () => stream.close(),
  }
}

/** Lets readers come; each gets what is said while it is there. */
class ReaderListener implements Readers {
  readonly #options: ReadersOptions
  readonly #server: Server
  readonly #streams = new Set<FrameStream>()

  constructor(options: ReadersOptions) {
    this.#options = options
    const { place, tls, skipsVerification } = options.settings
    const take = (socket: Socket) => this.#take(socket)
    this.#server =
      place.kind === 'tls'
        ? createTlsServer(
            {
              ...tls,
              requestCert: tls.ca !== undefined,
              rejectUnauthorized: tls.ca !== undefined && !skipsVerification,
            },
            take,
          )
        : createServer(take)
    this.#server.maxConnections = MOST_READERS
  }

  start = (): Promise<void> => {
    const { place } = this.#options.settings
    const server = this.#server
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      if (place.kind === 'unix') {
        removeSocket(place.path)
        server.listen(place.path, resolve)
      } else {
        const { host, port } = place.address
        server.listen(port, host === '' ? undefined : host, resolve)
      }
      server.unref()
    })
  }

  write = (frame: Buffer): void => {
    for (const stream of this.#streams) stream.write(frame)
  }

  close = async (): Promise<void> => {
    this.#server.close()
    await Promise.all([...this.#streams].map(stream => stream.close()))
  }

  #take(socket: Socket): void {
    const options = streamOptions(this.#options)
    const open = (onReady: () => void) => {
      setImmediate(onReady)
      return socket
    }
    const onDisconnect = (reason: string) => {
      this.#streams.delete(stream)
      options.onDisconnect(reason)
    }
    const stream = new FrameStream({ ...options, open, reconnects: false, onDisconnect })
    this.#streams.add(stream)
    stream.start()
  }
}

/** A socket that a process before left behind cannot be bound again. */
const removeSocket = (path: string): void => {
  try {
    unlinkSync(path)
  } catch {
    // There is none, or listening will say what is wrong.
  }
}

export const openReaders = (options: ReadersOptions): Readers =>
  options.settings.listens ? new ReaderListener(options) : callReader(options)
