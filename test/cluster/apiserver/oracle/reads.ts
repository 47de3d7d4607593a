/** get, list and watch. */
import {
  ACCEPTS,
  accepting,
  acceptingList,
  type Draw,
  folder,
  headers,
  NAMES,
  NAMESPACES,
  Oddity,
  type Plan,
  pick,
  query,
  sometimes,
  TABLE,
} from './parts.ts'
import {
  FIELDS,
  FLAGS,
  LABELS,
  LIMITS,
  MATCHES,
  ODD_FIELDS,
  ODD_FLAGS,
  ODD_LABELS,
  ODD_LIMITS,
  ODD_REVISIONS,
  REVISIONS,
} from './selection.ts'

export const getPlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const namespace = pick(draw, NAMESPACES)
  const name = odd.pick(0.1, ['absent', 'Bad_Name', 'a%20b', '%C3%A9'], NAMES)
  const revision = odd.pick(0.1, ODD_REVISIONS, REVISIONS)
  const old = Math.floor(draw() * 5)
  const includeObject = odd.pick(0.2, ['None', 'Metadata', 'Object', ''], [undefined])
  const accept = includeObject === undefined ? accepting(odd, 0.3) : TABLE
  return side => {
    const parameters = { resourceVersion: revision(side, old), includeObject }
    return { method: 'GET', path: `${folder(namespace)}/${name}${query(parameters)}`, headers: headers({ accept }) }
  }
}

export const listPlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const namespace = pick(draw, [...NAMESPACES, undefined, 'absent'])
  const revision = odd.pick(0.05, ODD_REVISIONS, REVISIONS)
  const old = Math.floor(draw() * 30)
  const parameters = {
    labelSelector: odd.pick(0.2, ODD_LABELS, LABELS),
    fieldSelector: odd.pick(0.1, ODD_FIELDS, FIELDS),
    limit: odd.pick(0.05, ODD_LIMITS, LIMITS),
    resourceVersionMatch: odd.pick(0.03, ['Wrong'], [undefined]) ?? odd.calm(MATCHES),
    timeoutSeconds: odd.pick(0.03, ['x', '5', '0', '-1'], [undefined]),
    sendInitialEvents: odd.pick(0.03, ['true', 'false', 'wrong'], [undefined]),
  }
  // Kubernetes reads a list of one name as a get, which knows no exact version.
  if (/^metadata\.name==?/.test(parameters.fieldSelector ?? '')) parameters.limit = undefined
  const token = odd.pick(0.05, ['e30'], [undefined, undefined, undefined, 'last'])
  const accept = acceptingList(odd, 0)
  return side => {
    const resourceVersion = revision(side, old)
    const next = token === 'last' ? side.continues.at(-1) : token
    return {
      method: 'GET',
      path: folder(namespace) + query({ ...parameters, resourceVersion, continue: next }),
      headers: headers({ accept }),
    }
  }
}

export const pagesPlan = (draw: Draw): Plan => {
  const namespace = pick(draw, [...NAMESPACES, undefined])
  const limit = pick(draw, ['1', '2', '3'])
  const labelSelector = sometimes(draw, 0.3) ? pick(draw, ['app=x', 'app!=x']) : undefined
  const goesOn = sometimes(draw, 0.5)
  const accept = pick(draw, ACCEPTS)
  return side => {
    const parameters = { limit, labelSelector, continue: goesOn ? side.continues.at(-1) : undefined }
    return { method: 'GET', path: folder(namespace) + query(parameters), headers: headers({ accept }) }
  }
}

export const watchPlan = (draw: Draw): Plan => {
  const odd = new Oddity(draw)
  const namespace = pick(draw, [...NAMESPACES, undefined])
  const revision = odd.pick(0.1, ODD_REVISIONS, REVISIONS)
  const old = Math.floor(draw() * 40)
  const initial = sometimes(draw, 0.4)
  const parameters = {
    watch: odd.pick(0.1, ['yes', 'TRUE'], ['1', 'true']),
    allowWatchBookmarks: odd.pick(0.05, ODD_FLAGS, FLAGS),
    sendInitialEvents: odd.pick(0.1, [...FLAGS, ...ODD_FLAGS], [initial ? 'true' : undefined]),
    resourceVersionMatch: odd.pick(0.1, ['NotOlderThan', 'Exact', 'Wrong'], [initial ? 'NotOlderThan' : undefined]),
    labelSelector: odd.pick(0.1, ODD_LABELS, LABELS),
    fieldSelector: odd.pick(0.1, ODD_FIELDS, FIELDS),
    timeoutSeconds: odd.pick(0.03, ['x'], ['5']),
    limit: odd.pick(0.03, ['1'], [undefined]),
    continue: odd.pick(0.03, ['x'], [undefined]),
  }
  const accept = accepting(odd, 0.2)
  return side => {
    const path = folder(namespace) + query({ ...parameters, resourceVersion: revision(side, old) })
    return { method: 'GET', path, headers: headers({ accept }), stream: true }
  }
}
