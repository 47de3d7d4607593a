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
import { unknownFields } from './unknown-fields.ts'

export interface AdmissionFile {
  /** All that it names. */
  readonly plugins: readonly string[]
  readonly podSecurity: PodSecurityConfiguration
}

const FLAG = '--admission-control-config-file'
const API_VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1']
const KIND = 'AdmissionConfiguration'
const POD_SECURITY = 'PodSecurity'

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
  if (name !== POD_SECURITY && (isSaid(path) || isSaid(configuration)))
    errors.push(fieldForbidden(place, `${name} takes no configuration here; ${POD_SECURITY} does`))
  if (isSaid(path) && isSaid(configuration))
    errors.push(fieldForbidden(`${place}.path`, 'may not be said where configuration is'))
  if (isSaid(path) && typeof path !== 'string') errors.push(fieldInvalid(`${place}.path`, path, 'must be a text'))
  return errors
}

const readPodSecurity = (file: string, { path, configuration }: Entry, place: string): PodSecurityConfiguration => {
  if (isSaid(configuration)) {
    const read = readPodSecurityConfiguration(configuration, `${place}.configuration`)
    refuseAny(file, read.errors)
    return read.configuration
  }
  if (!isSaid(path)) return PRIVILEGED
  const own = resolve(dirname(file), String(path))
  const read = readPodSecurityConfiguration(readYaml(own), '')
  refuseAny(own, read.errors)
  return read.configuration
}

/**
 * `file`: its path; '': there is none. What it names may be no plugin: the caller knows them.
 * @throws SeamarkError BAD_OPTION
 */
export const readAdmissionFile = (file: string): AdmissionFile => {
  if (file === '') return { plugins: [], podSecurity: PRIVILEGED }
  const root = readYaml(file)
  refuseAny(file, checkRoot(root))
  const entries = ((root as { plugins?: readonly Entry[] | null }).plugins ?? []) as readonly Entry[]
  const names = new Set<string>()
  refuseAny(
    file,
    entries.flatMap((entry, index) => checkEntry(entry, `plugins[${index}]`, names)),
  )
  const index = entries.findIndex(({ name }) => name === POD_SECURITY)
  const podSecurity = index < 0 ? PRIVILEGED : readPodSecurity(file, entries[index]!, `plugins[${index}]`)
  return { plugins: [...names], podSecurity }
}
