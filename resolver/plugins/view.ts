/**
 * view: the server block serves only the questions for which its expressions hold. Several blocks may then have the same
 * zone and listener; the first in the order of the file that takes a question serves it.
 */
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { type Condition, readCondition } from '../expression/expression.ts'
import { readExpressionLine } from '../expression/read-line.ts'
import type { BlockContext, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'

const options = {
  expr: {
    kind: 'words',
    syntax: 'EXPRESSION',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    doc: 'a question is for this block only if the expression holds, and those of the other lines',
    absent: 'every question',
  },
} as const satisfies PropertyTable

export const viewPlugin: PluginModule = {
  name: 'view',
  options,
  setup(directive, block) {
    const reader = new DirectiveReader(directive)
    const { expr } = reader.properties(options)
    const [name] = directive.arguments
    if (!name) reader.refuse(directive.name, 'needs a name (view NAME { … })')
    reader.limitArguments(1)
    const conditions = expr.flatMap(
      ({ name: line, arguments: words }) =>
        readExpressionLine(reader, { name: line, words }, block, readCondition) ?? [],
    )
    return reader.finish(
      (): Plugin => ({
        name: 'view',
        admits: query => holdsAll(conditions, query, block),
        provideMetadata: (_, metadata) => void metadata.set('view/name', name!.text),
      }),
    )
  },
}

const holdsAll = (conditions: readonly Condition[], query: Query, block: BlockContext): boolean => {
  // Not the query's own metadata: a block that does not get the question leaves nothing in it.
  let known: Map<string, string> | undefined
  const metadata = (): ReadonlyMap<string, string> => {
    if (known) return known
    known = new Map()
    for (const plugin of block.plugins()) plugin.collectMetadata?.(query, known)
    return known
  }
  return conditions.every(condition => condition.holds({ query, metadata }))
}
