/** `/healthz`, `/livez`, `/readyz`: named checks, each with a path of its own, as kube-apiserver answers them. */
import { type Answer, textAnswer } from './http/exchange.ts'

export interface HealthCheck {
  readonly name: string
  /** Whether it counts for readiness only: an apiserver that is merely not ready must not be restarted. */
  readonly readinessOnly?: boolean
  /** What is wrong; undefined: nothing. */
  readonly problem: () => string | undefined
}

const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const
type Endpoint = (typeof ENDPOINTS)[number]

const checksOf = (checks: readonly HealthCheck[], endpoint: Endpoint): readonly HealthCheck[] =>
  endpoint === 'readyz' ? checks : checks.filter(({ readinessOnly }) => !readinessOnly)

/** Whether the path asks for the sum of the checks, which says nothing about the inside. */
export const isHealthPath = (pathname: string): boolean =>
  ENDPOINTS.some(endpoint => pathname.length === endpoint.length + 1 && pathname.endsWith(endpoint))

/** The paths that the checks have, for the list that `/` answers with. */
export const healthPaths = (checks: readonly HealthCheck[]): string[] =>
  ENDPOINTS.flatMap(endpoint => [
    `/${endpoint}`,
    ...checksOf(checks, endpoint).map(({ name }) => `/${endpoint}/${name}`),
  ])

const answerAll = (checks: readonly HealthCheck[], endpoint: Endpoint, query: URLSearchParams): Answer => {
  const excluded = new Set(query.getAll('exclude'))
  const lines: string[] = []
  let failed = false
  for (const { name, problem } of checks) {
    if (excluded.has(name)) {
      lines.push(`[+]${name} excluded: ok`)
      continue
    }
    const reason = problem()
    if (reason === undefined) lines.push(`[+]${name} ok`)
    else {
      failed = true
      lines.push(`[-]${name} failed: ${reason}`)
    }
  }
  if (failed) return textAnswer(500, `${lines.join('\n')}\n${endpoint} check failed\n`)
  return textAnswer(200, query.has('verbose') ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok')
}

/** Undefined: the path is no health check's. */
export const answerHealth = (
  all: readonly HealthCheck[],
  pathname: string,
  query: URLSearchParams,
): Answer | undefined => {
  const [, root = '', ...rest] = pathname.split('/')
  const endpoint = ENDPOINTS.find(name => name === root)
  if (!endpoint) return undefined
  const checks = checksOf(all, endpoint)
  const name = rest.join('/')
  if (name === '') return answerAll(checks, endpoint, query)
  const check = checks.find(candidate => candidate.name === name)
  if (!check) return undefined
  const reason = check.problem()
  return reason === undefined ? textAnswer(200, 'ok') : textAnswer(500, `internal server error: ${reason}\n`)
}
