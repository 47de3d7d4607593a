/** any: answers questions of type ANY with a HINFO that says why there is no more (RFC 8482 §4.2). */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { lasting } from '../memo-terms.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import { answered, emptyAnswer } from '../verdict.ts'
import { classes, rcodes, recordTypes } from '../wire/codes.ts'
import { hinfoData } from '../wire/rdata.ts'

/** CoreDNS's words and TTL. */
const record = {
  type: recordTypes.HINFO,
  class: classes.IN,
  ttl: 8482,
  data: hinfoData.encode({ cpu: 'ANY obsoleted', os: 'See RFC 8482' }),
}

export const anyPlugin: PluginModule = {
  name: 'any',
  setup(directive) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    reader.noProperties()
    return reader.finish(
      (): Plugin => ({
        name: 'any',
        steady: true,
        transparent: true,
        handle(query, next) {
          const { name, type } = query.question
          if (type !== recordTypes.ANY) return next(query)
          const answer = emptyAnswer(rcodes.NOERROR, { authoritative: true, answers: [{ name, ...record }] })
          return answered('any', answer, lasting)
        },
      }),
    )
  },
}
