/** Where the next page of a list starts. Opaque to clients; the same form as Kubernetes's, so people can read it. */

import { posix } from 'node:path'
import type { Revision } from '#cluster/store/kv.ts'
import { accepted, type Result, refused } from '#lib/result.ts'

/** The revision of a token that gave up consistency: read on in what there is now. */
export const INCONSISTENT = -1

export interface ContinueToken {
  /** The revision of the first page, or `INCONSISTENT`. */
  readonly revision: Revision
  /** The first key of the page, within the list's own range. */
  readonly start: string
}

const VERSION = 'meta.k8s.io/v1'

export const encodeContinue = ({ revision, start }: ContinueToken): string =>
  Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start })).toString('base64url')

/** The problem is the sentence of the 400. */
export const decodeContinue = (text: string): Result<ContinueToken, string> => {
  const problem = (detail: string) => refused(`invalid continue token: continue key is not valid: ${detail}`)
  let token: { v?: unknown; rv?: unknown; start?: unknown } | null
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error))
  }
  if (token?.v !== VERSION) return problem(`server does not recognize this encoded version ${String(token?.v ?? '')}`)
  const { rv, start } = token
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < INCONSISTENT || rv === 0)
    return problem('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof start !== 'string' || start === '') return problem('no start key (version meta.k8s.io/v1)')
  // The key lies within the list's range, whatever the client made of the token.
  if (posix.normalize(`/${start}`) !== `/${start}`) return problem(start)
  return accepted({ revision: rv, start })
}
