/** cancel: says SERVFAIL when the plugins behind it have not answered in time, before the client gives up by itself. */
import { sleep } from '#lib/clock.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { formatDuration } from '../corefile/duration.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes } from '../wire/codes.ts'

const bounds = { minimum: 1, maximum: 600_000 }
/** CoreDNS's: just after the 5 s of a client's own patience (resolv.conf(5), `timeout`). */
const DEFAULT_TIMEOUT = 5001

export const cancelPlugin: PluginModule = {
  name: 'cancel',
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(1)
    reader.noProperties()
    const [word] = directive.arguments
    const timeout = word ? reader.duration(word, bounds) : DEFAULT_TIMEOUT
    return reader.finish(
      (): Plugin => ({
        name: 'cancel',
        allClasses: true,
        handle(query, next) {
          const verdict = next(query)
          return verdict instanceof Promise ? within(timeout, verdict, environment) : verdict
        },
      }),
    )
  },
}

const within = async (timeout: number, asked: Promise<Verdict>, { clock, logger }: Environment): Promise<Verdict> => {
  const late = new AbortController()
  try {
    const verdict = await Promise.race([asked, sleep(clock, timeout, late.signal)])
    if (verdict) return verdict
    // Nobody waits for it any more, but a bug is a bug.
    asked.catch(error => logger.error({ error, plugin: 'cancel' }, 'query failed by a bug after its time'))
    const text = `no answer in ${formatDuration(timeout)}`
    const extendedErrors = [{ code: extendedErrorCodes.OTHER, text }]
    return answered('cancel', emptyAnswer(rcodes.SERVFAIL, { extendedErrors }))
  } finally {
    late.abort()
  }
}
