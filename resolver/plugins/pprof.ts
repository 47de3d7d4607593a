/** pprof: a CPU profile and a heap snapshot of this process, over HTTP. */
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { formatDuration } from '../corefile/duration.ts'
import { chooseAddress } from '../corefile/endpoint-address.ts'
import type { HttpEndpoint, HttpReply } from '../listener.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'
import { Profiler } from '../pprof/profiler.ts'

const NAME = 'pprof'

const options = {
  block: {
    kind: 'words',
    syntax: '[RATE]',
    minimum: 0,
    maximum: 1,
    absent: 'off',
    doc: 'accepted for old Corefiles: nothing blocks in one thread, and there is no such profile',
  },
} as const satisfies PropertyTable

const SECONDS = { default: 30, minimum: 1, maximum: 300 } as const

/** Of the process, as V8's own: instances of before and after a reload share it. */
const profiler = new Profiler()

export const pprofPlugin: PluginModule = {
  name: NAME,
  options,
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    reader.properties(options)
    const address = chooseAddress({ reader, directive, override: undefined, otherwise: 'localhost:6053' })
    return reader.finish((): Plugin => {
      const pages: Readonly<Record<string, HttpEndpoint['reply']>> = {
        '/debug/pprof/': () => plain(200, indexPage(environment)),
        '/debug/pprof/profile': parameters => profilePage(parameters, environment),
        '/debug/pprof/heap': () => heapPage(environment),
      }
      return { name: NAME, endpoints: Object.entries(pages).map(([path, reply]) => ({ address, path, reply })) }
    })
  },
}

const plain = (status: number, body: string): HttpReply => ({ status, contentType: 'text/plain; charset=utf-8', body })

const indexPage = (environment: Environment): string =>
  [
    `/debug/pprof/profile?seconds=${SECONDS.default}  where the time goes: a .cpuprofile for Chrome DevTools or speedscope`,
    '/debug/pprof/heap                where the memory is: a .heapsnapshot for Chrome DevTools',
    '',
    progress(environment),
    '',
  ].join('\n')

const progress = ({ clock }: Environment): string => {
  const { recording } = profiler
  if (!recording) return 'nothing is being recorded'
  const { what, since, duration } = recording
  const elapsed = formatDuration(Math.round((clock.monotonic() - since) / 1000) * 1000)
  return `a ${what} is being recorded: ${elapsed}${duration === undefined ? '' : ` of ${formatDuration(duration)}`}`
}

const profilePage = async (parameters: URLSearchParams, environment: Environment): Promise<HttpReply> => {
  const text = parameters.get('seconds') ?? String(SECONDS.default)
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (seconds < SECONDS.minimum || seconds > SECONDS.maximum)
    return plain(400, `seconds is a number from ${SECONDS.minimum} to ${SECONDS.maximum}\n`)
  const { clock, logger } = environment
  logger.info({ room: 'resolver', plugin: NAME, seconds }, 'CPU profile begins')
  const body = await profiler.profile(clock, seconds * 1000)
  return body === undefined ? busy(environment) : file(body, 'seamark.cpuprofile')
}

const heapPage = (environment: Environment): HttpReply => {
  const { clock, logger } = environment
  logger.info({ room: 'resolver', plugin: NAME }, 'heap snapshot begins')
  const body = profiler.snapshot(clock)
  return body ? file(body, 'seamark.heapsnapshot') : busy(environment)
}

const busy = (environment: Environment): HttpReply => plain(409, `one at a time: ${progress(environment)}\n`)

const file = (body: HttpReply['body'], fileName: string): HttpReply => ({
  status: 200,
  contentType: 'application/json',
  fileName,
  body,
})
