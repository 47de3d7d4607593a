/** The stream of requests: each is made of a number sequence and of what the server said before. */
import { BASE, type Draw, JSON_TYPE, type Plan, pick } from './parts.ts'
import { getPlan, listPlan, pagesPlan, watchPlan } from './reads.ts'
import { createPlan, deleteCollectionPlan, deletePlan, patchPlan, updatePlan } from './writes.ts'

const ODD_PATHS: readonly (readonly [string, string])[] = [
  ['GET', `${BASE}/namespaces/default/wrong`],
  ['GET', `${BASE}/leases/a`],
  ['GET', '/apis/coordination.k8s.io/v9/leases'],
  ['HEAD', `${BASE}/namespaces/default/leases/a`],
  ['GET', `${BASE}/namespaces/default/leases/`],
  ['GET', `${BASE}/namespaces/default/leases/a/`],
  ['GET', `${BASE}/namespaces//leases/a`],
  ['GET', `${BASE}//leases`],
]

const oddPathPlan = (draw: Draw): Plan => {
  const [method, path] = pick(draw, ODD_PATHS)
  const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? '{}' : undefined
  return () => ({
    method,
    path,
    ...(body === undefined
      ? {}
      : { body, headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : JSON_TYPE } }),
  })
}

const SHARES: readonly (readonly [number, (draw: Draw) => Plan])[] = [
  [24, createPlan],
  [8, getPlan],
  [12, listPlan],
  [6, pagesPlan],
  [16, updatePlan],
  [16, patchPlan],
  [10, deletePlan],
  [1, deleteCollectionPlan],
  [5, watchPlan],
  [2, oddPathPlan],
]

export const nextPlan = (draw: Draw): Plan => {
  let at = draw() * SHARES.reduce((sum, [share]) => sum + share, 0)
  for (const [share, plan] of SHARES) if ((at -= share) < 0) return plan(draw)
  return createPlan(draw)
}
