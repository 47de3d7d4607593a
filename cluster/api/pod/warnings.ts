/** What of a Pod is allowed but hardly meant, in the words of Kubernetes 1.35. */
import { ipWarnings } from '../ip.ts'
import { checkLabelValue } from '../name.ts'
import { deprecatedNodeLabel } from '../node-label.ts'
import { fractionalBytes } from './fractional-bytes.ts'
import type { Container, EnvironmentVariable, NodeSelectorTerm, PodAffinity, PodSpec } from './pod.ts'
import { portWarnings } from './port-warnings.ts'
import { volumeWarnings } from './volume-warnings.ts'

type Annotations = Readonly<Record<string, string>>

interface Place {
  readonly field: string
  readonly container: Container
}

const BYTES = ['memory', 'ephemeral-storage']

const SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
const POD_SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod'
const CONTAINER_SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/'
const CONTAINER_APPARMOR = 'container.apparmor.security.beta.kubernetes.io/'
const OLD_ANNOTATIONS: Annotations = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}

/** `values`: whether they are looked at, which are not where validation has. */
const termWarnings = ({ matchExpressions = [] }: NodeSelectorTerm, at: string, values: boolean): string[] =>
  matchExpressions.flatMap(({ key = '', values: given = [] }, index) => {
    const field = `${at}.matchExpressions[${index}]`
    const message = deprecatedNodeLabel(key)
    const bad = given.flatMap((value, at) =>
      checkLabelValue(value).map(complaint => `${field}.values[${at}]: ${value} is invalid, ${complaint}`),
    )
    return [...(message ? [`${field}.key: ${key} is ${message}`] : []), ...(values ? bad : [])]
  })

const nodeWarnings = ({ nodeSelector = {}, affinity }: PodSpec, at: string): string[] => {
  const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution } =
    affinity?.nodeAffinity ?? {}
  const field = `${at}.affinity.nodeAffinity`
  const terms = `${field}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
  const preferred = `${field}.preferredDuringSchedulingIgnoredDuringExecution`
  return [
    ...Object.keys(nodeSelector).flatMap(key => {
      const message = deprecatedNodeLabel(key)
      return message ? [`${at}.nodeSelector[${key}]: ${message}`] : []
    }),
    ...(required?.nodeSelectorTerms ?? []).flatMap((term, index) => termWarnings(term, `${terms}[${index}]`, false)),
    ...(preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ preference = {} }, index) =>
      termWarnings(preference, `${preferred}[${index}].preference`, true),
    ),
  ]
}

const NO_POD = 'a null labelSelector results in matching no pod'

const spreadWarnings = ({ topologySpreadConstraints = [] }: PodSpec, at: string): string[] =>
  topologySpreadConstraints.flatMap(({ topologyKey = '', labelSelector }, index) => {
    const field = `${at}.topologySpreadConstraints[${index}]`
    const message = deprecatedNodeLabel(topologyKey)
    return [
      ...(message ? [`${field}.topologyKey: ${topologyKey} is ${message}`] : []),
      ...(labelSelector ? [] : [`${field}.labelSelector: ${NO_POD}`]),
    ]
  })

const affinityWarnings = (affinity: PodAffinity | undefined, at: string): string[] => {
  const { requiredDuringSchedulingIgnoredDuringExecution: required = [] } = affinity ?? {}
  const { preferredDuringSchedulingIgnoredDuringExecution: preferred = [] } = affinity ?? {}
  return [
    ...required.flatMap(({ labelSelector }, index) =>
      labelSelector ? [] : [`${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${NO_POD}`],
    ),
    ...preferred.flatMap(({ podAffinityTerm }, index) =>
      podAffinityTerm?.labelSelector
        ? []
        : [`${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector: ${NO_POD}`],
    ),
  ]
}

/** The places of what has stood in the list before. */
const repeated = (names: readonly string[]): readonly number[] => {
  const known = new Set<string>()
  return names.flatMap((name, index) => {
    const isKnown = known.has(name)
    known.add(name)
    return isKnown ? [index] : []
  })
}

const aliasWarnings = ({ hostAliases = [] }: PodSpec, at: string): string[] => {
  const addresses = hostAliases.map(({ ip = '' }) => ip)
  return repeated(addresses).map(
    index => `${at}.hostAliases[${index}].ip: duplicate ip ${JSON.stringify(addresses[index])}`,
  )
}

const secretWarnings = ({ imagePullSecrets = [] }: PodSpec, at: string): string[] => {
  const field = (index: number) => `${at}.imagePullSecrets[${index}].name`
  const names = imagePullSecrets.map(({ name = '' }) => name)
  return [
    ...repeated(names).map(index => `${field(index)}: duplicate name ${JSON.stringify(names[index])}`),
    ...names.flatMap((name, index) => (name === '' ? [`${field(index)}: invalid empty name ""`] : [])),
  ]
}

/** A value that builds on the one before it is meant. */
const hides = ({ name = '', value = '', valueFrom }: EnvironmentVariable): boolean => {
  const reference = `$(${name})`
  return valueFrom !== undefined || value === reference || !value.includes(reference)
}

const environmentWarnings = ({ field, container: { env = [] } }: Place): string[] =>
  repeated(env.map(({ name = '' }) => name))
    .filter(index => hides(env[index] ?? {}))
    .map(index => {
      const name = JSON.stringify(env[index]?.name)
      return `${field}.env[${index}]: hides previous definition of ${name}, which may be dropped when using apply`
    })

/** `at`: the field of the annotations; `template`: whether they are a template's. */
const containerWarnings = (
  { field, container }: Place,
  { spec, annotations, at, template }: { spec: PodSpec; annotations: Annotations; at: string; template: boolean },
): string[] => {
  const { name = '', securityContext, resources } = container
  const [seccomp, apparmor] = [CONTAINER_SECCOMP + name, CONTAINER_APPARMOR + name]
  const confined = Boolean(spec.securityContext?.appArmorProfile ?? securityContext?.appArmorProfile)
  return [
    ...(seccomp in annotations && !securityContext?.seccompProfile ? [`${at}[${seccomp}]: ${SECCOMP}`] : []),
    ...(template && apparmor in annotations && !confined
      ? [`${at}[${apparmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`]
      : []),
    ...fractionalBytes(resources?.limits, `${field}.resources.limits`, BYTES),
    ...fractionalBytes(resources?.requests, `${field}.resources.requests`, BYTES),
    ...environmentWarnings({ field, container }),
  ]
}

const placesOf = (spec: PodSpec, at: string): Place[] =>
  (['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap(list =>
    (spec[list] ?? []).map((container, index) => ({ field: `${at}.${list}[${index}]`, container })),
  )

const addressWarnings = ({ dnsConfig, hostAliases = [] }: PodSpec, at: string): string[] => [
  ...(dnsConfig?.nameservers ?? []).flatMap((address, index) =>
    ipWarnings(`${at}.dnsConfig.nameservers[${index}]`, address),
  ),
  ...hostAliases.flatMap(({ ip = '' }, index) => ipWarnings(`${at}.hostAliases[${index}].ip`, ip)),
]

interface Described {
  readonly metadata?: { readonly annotations?: Annotations }
  readonly spec?: PodSpec
}

function* told({ metadata, spec = {} }: Described, at: string): Generator<string, undefined> {
  const field = (name: string) => (at === '' ? name : `${at}.${name}`)
  const annotations = metadata?.annotations ?? {}
  const [own, noted] = [field('spec'), field('metadata.annotations')]
  yield* nodeWarnings(spec, own)
  yield* spreadWarnings(spec, own)
  for (const [key, text] of Object.entries(OLD_ANNOTATIONS)) if (key in annotations) yield `${noted}[${key}]: ${text}`
  yield* volumeWarnings(spec, own)
  yield* aliasWarnings(spec, own)
  yield* secretWarnings(spec, own)
  yield* fractionalBytes(spec.overhead, `${own}.overhead`, BYTES)
  if (POD_SECCOMP in annotations && !spec.securityContext?.seccompProfile) yield `${noted}[${POD_SECCOMP}]: ${SECCOMP}`
  const places = placesOf(spec, own)
  for (const place of places) yield* containerWarnings(place, { spec, annotations, at: noted, template: at !== '' })
  yield* portWarnings(
    places.flatMap(({ field, container }) =>
      (container.ports ?? []).map((port, index) => ({ field: `${field}.ports[${index}]`, port })),
    ),
  )
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    yield `${own}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`
  yield* affinityWarnings(spec.affinity?.podAffinity, `${own}.affinity.podAffinity`)
  yield* affinityWarnings(spec.affinity?.podAntiAffinity, `${own}.affinity.podAntiAffinity`)
  yield* addressWarnings(spec, own)
}

/** More than an answer has room for. */
const MAX_WARNINGS = 128

/** `at`: the field of the template; '' for a Pod itself. */
export const podWarnings = (pod: Described, at = ''): string[] => {
  const warnings: string[] = []
  for (const text of told(pod, at)) if (warnings.push(text) === MAX_WARNINGS) break
  return warnings
}
