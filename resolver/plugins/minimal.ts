/**
 * minimal: leaves the authority and additional sections out of answers that have data. Denials, failures and referrals
 * keep them: there they are the answer.
 */
import { whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Verdict } from '../verdict.ts'
import { rcodes } from '../wire/codes.ts'

export const minimalPlugin: PluginModule = {
  name: 'minimal',
  setup(directive) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    reader.noProperties()
    return reader.finish(
      (): Plugin => ({
        name: 'minimal',
        steady: true,
        transparent: true,
        handle: (query, next) => whenKnown(next(query), minimise),
      }),
    )
  },
}

const minimise = (verdict: Verdict): Verdict => {
  if (verdict.verdict !== 'answered') return verdict
  const { answer } = verdict
  const { rcode, answers, authority, additional } = answer
  if (rcode !== rcodes.NOERROR || answers.length === 0 || authority.length + additional.length === 0) return verdict
  return { ...verdict, answer: { ...answer, authority: [], additional: [] } }
}
