/** Cases of strategic merge patches, and the objects that they are about. */
import test from 'ava'
import { strategicMergePatch } from '#cluster/apiserver/patches/strategic.ts'

export interface StrategicCase {
  readonly title: string
  readonly type?: string
  readonly current: Record<string, unknown>
  readonly patch: Record<string, unknown>
  readonly expected?: Record<string, unknown>
  /** Part of the message of the 400. */
  readonly refused?: RegExp
}

export const port = (number: number, rest: object = {}) => ({ port: number, protocol: 'TCP', ...rest })
export const service = (spec: object, metadata: object = {}) => ({ metadata, spec })
export const pod = (spec: object, metadata: object = {}) => ({ metadata, spec })
export const container = (name: string, rest: object = {}) => ({ name, ...rest })
export const POD = 'core/v1.Pod'

/** A test for each case; its type is that of Services where it names none. */
export const testCases = (cases: readonly StrategicCase[]): void => {
  for (const { title, type = 'core/v1.Service', current, patch, expected, refused } of cases) {
    test(title, t => {
      const before = structuredClone({ current, patch })
      const result = strategicMergePatch.apply(current, patch, type)
      t.deepEqual({ current, patch }, before, 'arguments are not changed')
      if (refused) {
        t.false(result.ok)
        if (result.ok) return
        t.is(result.problem.code, 400)
        t.regex(result.problem.message ?? '', refused)
      } else {
        t.true(result.ok)
        if (result.ok) t.is(JSON.stringify(result.value), JSON.stringify(expected))
      }
    })
  }
}
