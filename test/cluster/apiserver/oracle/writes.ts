/** create, update, patch, delete and deletecollection. */
import { BROKEN_BODIES, DELETIONS, JSON_PATCHES, MERGES, ODDITIES } from './bodies.ts'
import {
  accepting,
  DRY_RUNS,
  type Draw,
  type Fields,
  folder,
  headers,
  JSON_TYPE,
  known,
  lease,
  NAMES,
  NAMESPACES,
  ODD_DRY_RUNS,
  Oddity,
  type Plan,
  pick,
  query,
  sometimes,
  writing,
} from './parts.ts'
import { FIELDS, FLAGS, LABELS, LIMITS, ODD_FIELDS, ODD_FLAGS, ODD_LABELS, ODD_LIMITS } from './selection.ts'
import type { Side } from './side.ts'

export const ODD_TYPES = [
  'text/plain',
  'application/xml',
  undefined,
  'application/json; charset=utf-8',
  'application/yaml',
  'nonsense',
]

export const createPlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const namespace = pick(draw, NAMESPACES)
  const object = lease(draw, namespace, pick(draw, NAMES))
  // Names that chance makes would sort differently later on.
  const generated = sometimes(draw, 0.1)
  if (generated) {
    object.metadata.generateName = 'gen-'
    delete object.metadata.name
  }
  odd.pick(0.4, ODDITIES, [() => {}])(object)
  const broken = odd.pick(0.1, BROKEN_BODIES, [undefined])
  const fieldManager = odd.pick(0.03, ['m', 'x'.repeat(129), 'b'], [undefined])
  const path = folder(namespace) + query({ ...writing(odd), ...(generated ? { dryRun: 'All' } : {}), fieldManager })
  const type = odd.pick(0.05, ODD_TYPES, [JSON_TYPE])
  const accept = accepting(odd)
  const body = broken ?? JSON.stringify(object)
  return () => ({ method: 'POST', path, body, headers: headers({ 'content-type': type, accept }) })
}

export type Version = (side: Side, key: string) => string | undefined

export const VERSIONS: readonly Version[] = [(side, key) => known(side, key).resourceVersion]
export const ODD_VERSIONS: readonly Version[] = [() => undefined, () => '0', () => '1', () => 'x', () => '']

export const updatePlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const [namespace, name] = [pick(draw, NAMESPACES), pick(draw, NAMES)]
  const object = lease(draw, namespace, name)
  odd.pick(0.25, ODDITIES, [() => {}])(object)
  const version = odd.pick(0.15, ODD_VERSIONS, VERSIONS)
  const uid = odd.pick(0.1, ['wrong'], [undefined, undefined, 'right'])
  const broken = odd.pick(0.05, BROKEN_BODIES, [undefined])
  const parameters = writing(odd)
  const accept = accepting(odd)
  return side => {
    const key = `${namespace}/${name}`
    const resourceVersion = object.metadata.resourceVersion ?? version(side, key)
    const metadata: Fields = {
      ...object.metadata,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(uid === undefined ? {} : { uid: uid === 'right' ? known(side, key).uid : uid }),
    }
    // Real Leases can be made by PUT, custom resources cannot; who says which version is meant makes none.
    if (!side.objects.has(key) && !(Number(metadata.resourceVersion) > 0)) metadata.resourceVersion = '1'
    const path = `${folder(namespace)}/${name}${query(parameters)}`
    const body = broken ?? JSON.stringify({ ...object, metadata })
    return { method: 'PUT', path, body, headers: headers({ 'content-type': JSON_TYPE, accept }) }
  }
}

export const patchPlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const namespace = pick(draw, NAMESPACES)
  const name = odd.pick(0.05, ['absent'], NAMES)
  const merge = sometimes(draw, 0.5)
  const patch = JSON.stringify(pick(draw, merge ? MERGES : JSON_PATCHES))
  const body = patch
  const plain = merge ? 'application/merge-patch+json' : 'application/json-patch+json'
  const type = odd.pick(0.03, [JSON_TYPE, 'text/plain', undefined, `${plain}; charset=utf-8`], [plain])
  const parameters = { ...writing(odd), force: odd.pick(0.03, ['true', 'false', 'wrong'], [undefined]) }
  const path = `${folder(namespace)}/${name}${query(parameters)}`
  const accept = accepting(odd)
  return () => ({ method: 'PATCH', path, body, headers: headers({ 'content-type': type, accept }) })
}

export const deletePlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const namespace = pick(draw, NAMESPACES)
  const name = odd.pick(0.05, ['absent'], NAMES)
  const options = odd.pick(0.6, DELETIONS, [() => undefined])
  const broken = odd.pick(0.08, BROKEN_BODIES, [undefined])
  const parameters = {
    dryRun: odd.pick(0.05, ODD_DRY_RUNS, DRY_RUNS),
    gracePeriodSeconds: odd.pick(0.1, ['5', '-1'], [undefined, undefined, '0']),
    propagationPolicy: odd.pick(0.1, ['Wrong', '', 'Orphan', 'Foreground'], [undefined, undefined, 'Background']),
    orphanDependents: odd.pick(0.1, [...FLAGS, ...ODD_FLAGS], [undefined]),
  }
  const accept = accepting(odd)
  return side => {
    const given = options(side, `${namespace}/${name}`)
    const body = broken ?? (given === undefined ? undefined : JSON.stringify(given))
    // Beside a body Kubernetes does not look at the query.
    const path = `${folder(namespace)}/${name}${body ? '' : query(parameters)}`
    const type = body === undefined ? undefined : JSON_TYPE
    return {
      method: 'DELETE',
      path,
      ...(body === undefined ? {} : { body }),
      headers: headers({ accept, 'content-type': type }),
    }
  }
}

export const deleteCollectionPlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const namespace = pick(draw, NAMESPACES)
  const parameters = {
    labelSelector: odd.pick(0.2, ODD_LABELS, LABELS.slice(2)),
    fieldSelector: odd.pick(0.1, ODD_FIELDS, FIELDS),
    limit: odd.pick(0.1, ODD_LIMITS, LIMITS),
    dryRun: odd.pick(0.1, ODD_DRY_RUNS, DRY_RUNS),
  }
  // As a list of one name.
  if (/^metadata\.name==?/.test(parameters.fieldSelector ?? '')) parameters.limit = undefined
  const accept = accepting(odd)
  return () => ({ method: 'DELETE', path: folder(namespace) + query(parameters), headers: headers({ accept }) })
}
