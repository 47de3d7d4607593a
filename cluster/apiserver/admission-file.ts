/**
 * The file of --admission-control-config-file (AdmissionConfiguration of apiserver.config.k8s.io/v1): what admission
 * plugins are told.
 *
 * Promised: nothing in it is passed over. What no plugin takes here ends the start, with the file and the field: a gate
 * that the operator believes closed would stand open.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '#cluster/api/field-error.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { SeamarkError } from '#lib/errors.ts'
import { yamlValue } from '#lib/yaml-value.ts'
import {
  type PodSecurityConfiguration,
  PRIVILEGED,
  readPodSecurityConfiguration,
} from './pod-security/configuration.ts'
import { readQuotaConfiguration } from './quota/configuration.ts'
import type { LimitedResource } from './quota/limited.ts'
import { unknownFields } from './unknown-fields.ts'
import { readWebhookAdmission } from './webhook/admission-configuration.ts'
import type { HostCredentials } from './webhook/host-credentials.ts'

export interface AdmissionFile {
  /** All that it names. */
  readonly plugins: readonly string[]
  readonly podSecurity: PodSecurityConfiguration
  /** What may be taken only where a quota counts it. */
  readonly limitedResources: readonly LimitedResource[]
  /** Who the apiserver is to which webhook; undefined: nobody. */
  readonly webhooks: Readonly<Record<'mutating' | 'validating', HostCredentials | undefined>>
}

const FLAG = '--admission-control-config-file'
const API_VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1']
const KIND = 'AdmissionConfiguration'
/** Plugins that take a configuration. */
const TAKERS = ['PodSecurity', 'ResourceQuota', 'MutatingAdmissionWebhook', 'ValidatingAdmissionWebhook'] as const
type Taker = (typeof TAKERS)[number]

const refuse = (file: string, problems: readonly string[], cause?: unknown): never => {
  throw new SeamarkError('BAD_OPTION', problems.map(problem => `${FLAG}: ${file}: ${problem}`).join('\n'), { cause })
}

const refuseAny = (file: string, errors: readonly FieldError[]): void => {
  if (errors.length === 0) return
  refuse(
    file,
    errors.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)),
  )
}

const readYaml = (file: string): unknown => {
  try {
    return yamlValue(readFileSync(file, 'utf8'))
  } catch (cause) {
    return refuse(file, [(cause as Error).message], cause)
  }
}

/** Errors of the file itself. */
const checkRoot = (file: unknown): readonly FieldError[] => {
  if (!isObject(file)) return [fieldInvalid('', file, `must be an ${KIND}`)]
  const { apiVersion = '', kind = '', plugins = [] } = file
  return [
    ...unknownFields(file, '', ['apiVersion', 'kind', 'plugins']),
    ...(API_VERSIONS.includes(apiVersion as string) ? [] : [fieldNotSupported('apiVersion', apiVersion, API_VERSIONS)]),
    ...(kind === KIND ? [] : [fieldNotSupported('kind', kind, [KIND])]),
    ...(plugins === null || Array.isArray(plugins) ? [] : [fieldInvalid('plugins', plugins, 'must be a list')]),
  ]
}

interface Entry {
  readonly name: string
  readonly path?: unknown
  readonly configuration?: unknown
}

const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

/** Errors of an entry that is there already, or that nobody takes. */
const checkEntry = (entry: unknown, place: string, names: Set<string>): FieldError[] => {
  if (!isObject(entry)) return [fieldInvalid(place, entry, 'must be an object')]
  const errors = [...unknownFields(entry, place, ['name', 'path', 'configuration'])]
  const { name, path, configuration } = entry
  if (typeof name !== 'string' || name === '') return [...errors, fieldRequired(`${place}.name`)]
  if (names.has(name)) errors.push(fieldDuplicate(`${place}.name`, name))
  names.add(name)
  if (!(TAKERS as readonly string[]).includes(name) && (isSaid(path) || isSaid(configuration)))
    errors.push(fieldForbidden(place, `${name} takes no configuration here; ${TAKERS.join(', ')} do`))
  if (isSaid(path) && isSaid(configuration))
    errors.push(fieldForbidden(`${place}.path`, 'may not be said where configuration is'))
  if (isSaid(path) && typeof path !== 'string') errors.push(fieldInvalid(`${place}.path`, path, 'must be a text'))
  return errors
}

/** A configuration, and what is wrong with which field below `place`. */
type Read<Configuration> = (
  value: unknown,
  place: string,
) => { readonly configuration: Configuration; readonly errors: readonly FieldError[] }

class Entries {
  readonly #file: string
  readonly #entries: readonly Entry[]

  constructor(file: string, entries: readonly Entry[]) {
    this.#file = file
    this.#entries = entries
  }

  /** What the plugin is told, in place or in a file of its own; undefined: nothing. */
  told<Configuration>(name: Taker, read: Read<Configuration>): Configuration | undefined {
    const index = this.#entries.findIndex(entry => entry.name === name)
    const { path, configuration } = this.#entries[index] ?? {}
    if (isSaid(configuration)) return this.#checked(this.#file, read(configuration, `plugins[${index}].configuration`))
    if (!isSaid(path)) return undefined
    const own = resolve(dirname(this.#file), String(path))
    return this.#checked(own, read(readYaml(own), ''))
  }

  #checked<Configuration>(file: string, { configuration, errors }: ReturnType<Read<Configuration>>): Configuration {
    refuseAny(file, errors)
    return configuration
  }
}

const NOTHING: AdmissionFile = {
  plugins: [],
  podSecurity: PRIVILEGED,
  limitedResources: [],
  webhooks: { mutating: undefined, validating: undefined },
}

/**
 * `file`: its path; '': there is none. What it names may be no plugin: the caller knows them.
 * @throws SeamarkError BAD_OPTION
 */
export const readAdmissionFile = (file: string): AdmissionFile => {
  if (file === '') return NOTHING
  const root = readYaml(file)
  refuseAny(file, checkRoot(root))
  const listed = ((root as { plugins?: readonly Entry[] | null }).plugins ?? []) as readonly Entry[]
  const names = new Set<string>()
  refuseAny(
    file,
    listed.flatMap((entry, index) => checkEntry(entry, `plugins[${index}]`, names)),
  )
  const entries = new Entries(file, listed)
  return {
    plugins: [...names],
    podSecurity: entries.told('PodSecurity', readPodSecurityConfiguration) ?? PRIVILEGED,
    limitedResources: entries.told('ResourceQuota', readQuotaConfiguration) ?? [],
    webhooks: {
      mutating: entries.told('MutatingAdmissionWebhook', readWebhookAdmission),
      validating: entries.told('ValidatingAdmissionWebhook', readWebhookAdmission),
    },
  }
}
