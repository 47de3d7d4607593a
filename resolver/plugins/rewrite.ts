/**
 * rewrite: changes questions on their way in, and answers on their way back, so that clients see what they asked for.
 * Each line is a rule; rules run in the order of the file until one that stops has applied.
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { withTerms } from '../memo.ts'
import type { MemoTerms } from '../memo-terms.ts'
import type { Next } from '../next.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type RewriteSettings, readRewrite } from '../rewrite/directive.ts'
import type { Rewritten } from '../rewrite/rule.ts'
import type { Verdict } from '../verdict.ts'
import { classes } from '../wire/codes.ts'

export const rewritePlugin: PluginModule = {
  name: 'rewrite',
  repeatable: true,
  setup(directive, _block, { resolveInternally }) {
    const reader = new DirectiveReader(directive)
    const settings = readRewrite(directive, reader)
    return reader.finish((): Plugin => new Rewrite(settings, resolveInternally))
  },
}

/** Questions that a rule has stopped at: the rules of later lines stand right behind it and pass them on. */
const finished = new WeakSet<Query>()

class Rewrite implements Plugin {
  readonly name = 'rewrite'
  readonly steady: boolean
  /** A rule may make a question of class IN of another one. */
  readonly allClasses = true
  readonly #settings: RewriteSettings
  readonly #resolveInternally: Next

  constructor(settings: RewriteSettings, resolveInternally: Next) {
    this.steady = settings.steady
    this.#settings = settings
    this.#resolveInternally = resolveInternally
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    if (finished.has(query)) return next(query)
    const rewritten = this.#settings.rule(query, this.#resolveInternally)
    if (!rewritten) return next(query)
    if (this.#settings.stop) finished.add(rewritten.query)
    query.trace?.add('rewrite', 'question or answer is rewritten', { name: rewritten.query.question.name })
    return whenKnown(this.#ask(query, rewritten, next), verdict => restored(query, verdict, rewritten))
  }

  /** What came in as another class has passed by the plugins that are for IN alone: they are asked from the front. */
  #ask(query: Query, { query: asked }: Rewritten, next: Next): MaybePromise<Verdict> {
    const hasBecomeIn = query.question.class !== classes.IN && asked.question.class === classes.IN
    return hasBecomeIn ? this.#resolveInternally(asked) : next(asked)
  }
}

/**
 * The spelling and the names below are another question's; what is left of a TTL may be rewritten; and what was asked from
 * the front may have come from another block.
 */
const termsOf = (query: Query, { query: asked, restore }: Rewritten, terms: MemoTerms): MemoTerms | undefined => {
  if (query.question.class !== asked.question.class || (restore && terms.agedAt !== undefined)) return undefined
  const { below: _below, ...others } = terms
  return { ...others, echoesCase: false }
}

const restored = (query: Query, given: Verdict, rewritten: Rewritten): MaybePromise<Verdict> => {
  const verdict = withTerms(given, terms => termsOf(query, rewritten, terms))
  const { restore } = rewritten
  if (verdict.verdict !== 'answered' || !restore) return verdict
  return whenKnown(restore(verdict.answer), answer => ({ ...verdict, answer }))
}
