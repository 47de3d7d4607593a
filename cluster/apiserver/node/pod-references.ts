/** What a Pod's node must be able to read to run it: the objects that the Pod names. */
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'

export interface PodReferences {
  readonly serviceAccount: string
  readonly secrets: ReadonlySet<string>
  readonly configMaps: ReadonlySet<string>
  readonly claims: ReadonlySet<string>
}

const objectsOf = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isObject) : []

const at = (value: unknown, ...path: readonly string[]): unknown => {
  let inner = value
  for (const name of path) inner = isObject(inner) ? inner[name] : undefined
  return inner
}

class Collector {
  readonly secrets = new Set<string>()
  readonly configMaps = new Set<string>()
  readonly claims = new Set<string>()

  add(names: Set<string>, name: unknown): void {
    if (typeof name === 'string' && name !== '') names.add(name)
  }

  container(container: Record<string, unknown>): void {
    for (const variable of objectsOf(container.env)) {
      this.add(this.secrets, at(variable, 'valueFrom', 'secretKeyRef', 'name'))
      this.add(this.configMaps, at(variable, 'valueFrom', 'configMapKeyRef', 'name'))
    }
    for (const source of objectsOf(container.envFrom)) {
      this.add(this.secrets, at(source, 'secretRef', 'name'))
      this.add(this.configMaps, at(source, 'configMapRef', 'name'))
    }
  }

  volume(volume: Record<string, unknown>, pod: string): void {
    this.add(this.configMaps, at(volume, 'configMap', 'name'))
    this.add(this.claims, at(volume, 'persistentVolumeClaim', 'claimName'))
    // KEP-1698: the claim of an ephemeral volume is called after Pod and volume.
    if (volume.ephemeral) this.add(this.claims, `${pod}-${String(volume.name)}`)
    for (const source of Object.values(volume)) {
      this.add(this.secrets, at(source, 'secretName'))
      this.add(this.secrets, at(source, 'secretRef', 'name'))
      this.add(this.secrets, at(source, 'nodePublishSecretRef', 'name'))
    }
    for (const source of objectsOf(at(volume, 'projected', 'sources'))) {
      this.add(this.secrets, at(source, 'secret', 'name'))
      this.add(this.configMaps, at(source, 'configMap', 'name'))
    }
  }
}

export const podReferences = ({ metadata, spec }: ApiObject): PodReferences => {
  const found = new Collector()
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'])
    for (const container of objectsOf(at(spec, list))) found.container(container)
  for (const volume of objectsOf(at(spec, 'volumes'))) found.volume(volume, metadata.name ?? '')
  for (const secret of objectsOf(at(spec, 'imagePullSecrets'))) found.add(found.secrets, secret.name)
  const account = at(spec, 'serviceAccountName')
  const { secrets, configMaps, claims } = found
  return { serviceAccount: typeof account === 'string' ? account : '', secrets, configMaps, claims }
}
