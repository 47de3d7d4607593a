/**
 * Cases whose configuration Seamark cannot have yet: by section, with the reason. The table only ever shrinks: an entry
 * goes when its feature comes, and a test holds the count.
 */
export interface PendingCases {
  readonly section: string
  readonly reason: string
  readonly ids: readonly string[]
}

export const pending: readonly PendingCases[] = []
