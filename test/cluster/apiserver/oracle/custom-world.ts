/** Both servers with the same custom resource. */
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'
import { startOracle } from '../../../support/oracle.ts'
import { CustomSide } from './custom-side.ts'

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
export const THINGS = '/apis/example.com/v1/namespaces/default/things'

/** Undefined where there is no oracle: the test has passed, with the reason printed. */
export const startBoth = async (t: ExecutionContext) => {
  const oracle = await startOracle(t)
  if (!oracle) return undefined
  const server = await startApiserver(t, { bare: true })
  await server.fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } })
  const theirs = new CustomSide(oracle.url, { ca: readFileSync(oracle.authority, 'utf8') })
  const ours = new CustomSide(server.url, server.tls)
  t.teardown(() => {
    theirs.close()
    ours.close()
  })
  return { theirs, ours }
}

/** Defines it, and waits until it is served. */
export const serve = async (side: CustomSide, body: unknown, path: string): Promise<void> => {
  await side.send('POST', DEFINITIONS, body)
  const end = performance.now() + 60_000
  while ((await side.send('GET', path)).code !== 200) {
    if (performance.now() > end) throw new Error('the custom resource is not served')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export const object = (name: string, more: Record<string, unknown>) => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name },
  ...more,
})
