/** What requests are made of: names, parameters, media types; each with what is odd beside what is plain. */
import type { Call, Side } from './side.ts'

/** A number from 0 to under 1, the same for both servers. */
export type Draw = () => number

export type Plan = (side: Side) => Call

export const BASE = '/apis/coordination.k8s.io/v1'
export const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
export const NAMESPACES = ['default', 'other']

export const pick = <Member>(draw: Draw, members: readonly Member[]): Member =>
  members[Math.floor(draw() * members.length)]!

export const sometimes = (draw: Draw, share: number): boolean => draw() < share

/** At most one thing of a request is odd, so that it does not matter in which order a server finds two. */
export class Oddity {
  readonly #draw: Draw
  #spent = false

  constructor(draw: Draw) {
    this.#draw = draw
  }

  /** One of `odd` with this probability, if nothing was odd yet; else one of `plain`. */
  /** One of `plain` that goes with nothing odd, or nothing. */
  calm<Member>(plain: readonly Member[]): Member | undefined {
    const picked = pick(this.#draw, plain)
    return this.#spent ? undefined : picked
  }

  pick<Member>(share: number, odd: readonly Member[], plain: readonly Member[]): Member {
    if (this.#spent || this.#draw() >= share) return pick(this.#draw, plain)
    this.#spent = true
    return pick(this.#draw, odd)
  }
}

export const folder = (namespace: string | undefined): string =>
  namespace === undefined ? `${BASE}/leases` : `${BASE}/namespaces/${namespace}/leases`

export const query = (parameters: Readonly<Record<string, string | readonly string[] | undefined>>): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const one of value === undefined ? [] : typeof value === 'string' ? [value] : value) search.append(name, one)
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

export const known = (side: Side, key: string) => side.objects.get(key) ?? { uid: 'none', resourceVersion: '1' }

export type Fields = Record<string, unknown>

export interface Lease extends Fields {
  metadata: Fields
  spec?: unknown
}

export const lease = (draw: Draw, namespace: string, name: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {
    name,
    ...(sometimes(draw, 0.5) ? { namespace } : {}),
    ...(sometimes(draw, 0.7)
      ? { labels: { app: pick(draw, ['x', 'y', 'z']), n: String(Math.floor(draw() * 10)) } }
      : {}),
    ...(sometimes(draw, 0.3) ? { annotations: { note: pick(draw, ['one', 'two', 'é😀 <&>', '']) } } : {}),
    ...(sometimes(draw, 0.15) ? { finalizers: ['example.com/wait'] } : {}),
  },
  spec: {
    holderIdentity: pick(draw, ['ann', 'bob', 'eve']),
    leaseTransitions: Math.floor(draw() * 5),
    ...(sometimes(draw, 0.3) ? { leaseDurationSeconds: 1 + Math.floor(draw() * 60) } : {}),
  },
})

export const ODD_VALIDATIONS = ['Wrong']
export const VALIDATIONS = [undefined, undefined, 'Strict', 'Warn', 'Ignore']
export const ODD_DRY_RUNS = ['all', '']
export const DRY_RUNS = [undefined, undefined, undefined, undefined, 'All']
export const JSON_TYPE = 'application/json'
export const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'
export const ACCEPTS: readonly (string | undefined)[] = [
  undefined,
  undefined,
  undefined,
  undefined,
  '*/*',
  JSON_TYPE,
  'application/*',
  TABLE,
  `${TABLE},application/json`,
  'text/html,application/json;q=0.5',
  'application/xml, */*;q=0.1',
  'application/json;pretty=1',
]
export const METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
export const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
export const ODD_ACCEPTS = [
  'application/json;as=Table;v=v2;g=meta.k8s.io',
  'application/json;as=Nothing;v=v1;g=meta.k8s.io',
  'text/html',
  'nonsense',
  METADATA,
  `${METADATA},application/json`,
]

export const headers = (values: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))

/** The parameters that all writes share. */
export const writing = (odd: Oddity) => ({
  dryRun: odd.pick(0.03, ODD_DRY_RUNS, DRY_RUNS),
  fieldValidation: odd.pick(0.03, ODD_VALIDATIONS, VALIDATIONS),
})

export const accepting = (odd: Oddity, share = 0.05) => odd.pick(share, ODD_ACCEPTS, ACCEPTS)
export const acceptingList = (odd: Oddity, share = 0.05) =>
  odd.pick(share, [...ODD_ACCEPTS, METADATA_LIST, `${METADATA_LIST},application/json`], ACCEPTS)
