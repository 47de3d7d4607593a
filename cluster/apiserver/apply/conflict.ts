/** The 409 of an apply that would change what others own. */
import { failure, type Status } from '#cluster/api/status.ts'
import { describeManager, type Manager, managerId } from './manager.ts'
import { describePath } from './path-element.ts'

export interface Conflict {
  readonly manager: Manager
  /** Steps from the root. */
  readonly path: readonly string[]
}

const summary = (conflicts: readonly Conflict[]): string => {
  const [first] = conflicts
  if (first && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${describeManager(first.manager)}: ${describePath(first.path)}`
  }
  const groups = Map.groupBy(conflicts, ({ manager }) => managerId(manager))
  const lines = [...groups.keys()].sort().flatMap(id => {
    const members = groups.get(id)!
    return [
      `conflicts with ${describeManager(members[0]!.manager)}:`,
      ...members.map(({ path }) => `- ${describePath(path)}`),
    ]
  })
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

export const applyConflict = (conflicts: readonly Conflict[]): Status =>
  failure(409, 'Conflict', summary(conflicts), {
    causes: conflicts.map(({ manager, path }) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${describeManager(manager)}`,
      field: describePath(path),
    })),
  })
