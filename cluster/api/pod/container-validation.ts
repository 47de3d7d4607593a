/** The rules for a container, whichever of the three lists it stands in. */
import {
  complain,
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldRequired,
} from '../field-error.ts'
import {
  checkConfigKey,
  checkDnsLabel,
  checkEnvironmentName,
  checkPort,
  checkPortName,
  checkQualifiedName,
} from '../name.ts'
import { parseQuantity } from '../quantity.ts'
import type { Container, ContainerPort, EnvironmentVariable, ResourceRequirements } from './pod.ts'
import { validateEndingProbe, validateHandler, validateProbe } from './probe-validation.ts'

const validatePort = (port: ContainerPort, names: Set<string>, field: string): FieldError[] => {
  const { name = '', containerPort = 0, hostPort = 0 } = port
  const errors: FieldError[] = []
  if (name !== '') {
    const complaints = checkPortName(name)
    errors.push(...complain(`${field}.name`, name, complaints))
    if (complaints.length === 0 && names.has(name)) errors.push(fieldDuplicate(`${field}.name`, name))
    names.add(name)
  }
  if (containerPort === 0) errors.push(fieldRequired(`${field}.containerPort`))
  else errors.push(...complain(`${field}.containerPort`, containerPort, checkPort(containerPort)))
  if (hostPort !== 0) errors.push(...complain(`${field}.hostPort`, hostPort, checkPort(hostPort)))
  return errors
}

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const

/** What a variable may say of its own pod, besides labels and annotations by key. */
const FIELD_PATHS =
  /^(?:metadata\.(?:name|namespace|uid|labels\['.+'\]|annotations\['.+'\])|spec\.(?:nodeName|serviceAccountName)|status\.(?:hostIP|hostIPs|podIP|podIPs))$/

const validateVariable = ({ name = '', value = '', valueFrom }: EnvironmentVariable, field: string): FieldError[] => {
  const errors =
    name === '' ? [fieldRequired(`${field}.name`)] : complain(`${field}.name`, name, checkEnvironmentName(name))
  if (!valueFrom) return errors
  const inner = `${field}.valueFrom`
  const given = SOURCES.filter(source => valueFrom[source] !== undefined)
  if (given.length === 0) {
    const text =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(fieldInvalid(inner, '', text))
  }
  if (given.length > 1) errors.push(fieldInvalid(inner, '', 'may not have more than one field specified at a time'))
  if (value !== '') errors.push(fieldInvalid(inner, '', 'may not be specified when `value` is not empty'))
  const path = valueFrom.fieldRef?.fieldPath ?? ''
  if (valueFrom.fieldRef && path !== '' && !FIELD_PATHS.test(path)) {
    errors.push(
      fieldInvalid(`${inner}.fieldRef.fieldPath`, path, 'error converting fieldPath: field label not supported'),
    )
  }
  for (const source of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const key = valueFrom[source]?.key
    if (key) errors.push(...complain(`${inner}.${source}.key`, key, checkConfigKey(key)))
    if (valueFrom[source] && !valueFrom[source].name) errors.push(fieldRequired(`${inner}.${source}.name`))
  }
  return errors
}

export const validateResources = (
  { limits = {}, requests = {} }: ResourceRequirements,
  field: string,
): FieldError[] => {
  const errors: FieldError[] = []
  for (const [list, at] of [
    [limits, `${field}.limits`],
    [requests, `${field}.requests`],
  ] as const) {
    for (const [name, text] of Object.entries(list)) {
      errors.push(...complain(`${at}[${name}]`, name, checkQualifiedName(name)))
      if ((parseQuantity(text)?.nano ?? 0n) < 0n) {
        errors.push(fieldInvalid(`${at}[${name}]`, text, 'must be greater than or equal to 0'))
      }
    }
  }
  for (const [name, text] of Object.entries(requests)) {
    // A client chooses the names: `toString` is one like any other.
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
    if (limit === undefined || (parseQuantity(text)?.nano ?? 0n) <= (parseQuantity(limit)?.nano ?? 0n)) continue
    errors.push(fieldInvalid(`${field}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`))
  }
  return errors
}

const validateMounts = (container: Container, volumes: ReadonlySet<string>, field: string): FieldError[] => {
  const errors: FieldError[] = []
  const paths = new Set<string>()
  container.volumeMounts?.forEach(({ name = '', mountPath = '', subPath = '', subPathExpr = '' }, index) => {
    const at = `${field}.volumeMounts[${index}]`
    if (name !== '' && !volumes.has(name)) errors.push(fieldNotFound(`${at}.name`, name))
    if (paths.has(mountPath)) errors.push(fieldInvalid(`${at}.mountPath`, mountPath, 'must be unique'))
    paths.add(mountPath)
    if (subPath !== '' && subPathExpr !== '') {
      errors.push(fieldInvalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
    }
    for (const path of [subPath, subPathExpr]) {
      if (path.startsWith('/')) errors.push(fieldInvalid(`${at}.subPath`, path, 'must be a relative path'))
      if (path.split('/').includes('..')) errors.push(fieldInvalid(`${at}.subPath`, path, "must not contain '..'"))
    }
  })
  container.volumeDevices?.forEach(({ name = '' }, index) => {
    if (name !== '' && !volumes.has(name)) errors.push(fieldNotFound(`${field}.volumeDevices[${index}].name`, name))
  })
  return errors
}

const validateImage = ({ image = '' }: Container, field: string): FieldError[] => {
  if (image === '') return [fieldRequired(`${field}.image`)]
  return image.trim() === image
    ? []
    : [fieldInvalid(`${field}.image`, image, 'must not have leading or trailing whitespace')]
}

const validateSecurity = ({ securityContext }: Container, field: string): FieldError[] =>
  securityContext?.privileged === true && securityContext.allowPrivilegeEscalation === false
    ? [
        fieldInvalid(
          `${field}.securityContext`,
          securityContext,
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      ]
    : []

/** `names`: of all containers before it, in whichever list. */
export const validateContainer = (
  container: Container,
  field: string,
  pod: { readonly names: Set<string>; readonly volumes: ReadonlySet<string> },
): FieldError[] => {
  const { name = '', ports = [], env = [], resources } = container
  const errors = name === '' ? [fieldRequired(`${field}.name`)] : complain(`${field}.name`, name, checkDnsLabel(name))
  if (name !== '' && pod.names.has(name)) errors.push(fieldDuplicate(`${field}.name`, name))
  pod.names.add(name)
  const portNames = new Set<string>()
  errors.push(...validateImage(container, field))
  ports.forEach((port, index) => void errors.push(...validatePort(port, portNames, `${field}.ports[${index}]`)))
  env.forEach((variable, index) => void errors.push(...validateVariable(variable, `${field}.env[${index}]`)))
  if (resources) errors.push(...validateResources(resources, `${field}.resources`))
  errors.push(...validateMounts(container, pod.volumes, field), ...validateSecurity(container, field))
  return errors
}

/** Probes and hooks, for containers that go on: main ones and sidecars. */
export const validateRunning = (container: Container, field: string): FieldError[] => {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  return [
    ...(livenessProbe ? validateEndingProbe(livenessProbe, `${field}.livenessProbe`) : []),
    ...(readinessProbe ? validateProbe(readinessProbe, `${field}.readinessProbe`) : []),
    ...(startupProbe ? validateEndingProbe(startupProbe, `${field}.startupProbe`) : []),
    ...(lifecycle?.postStart ? validateHandler(lifecycle.postStart, `${field}.lifecycle.postStart`) : []),
    ...(lifecycle?.preStop ? validateHandler(lifecycle.preStop, `${field}.lifecycle.preStop`) : []),
  ]
}

const NOT_EPHEMERAL = ['lifecycle', 'livenessProbe', 'ports', 'readinessProbe', 'resources', 'startupProbe'] as const

/** KEP-277: it is there to look, and the Pod promises nothing for it. */
export const validateEphemeral = (container: Container, field: string): FieldError[] =>
  NOT_EPHEMERAL.filter(name => !isEmpty(container[name])).map(name =>
    fieldForbidden(`${field}.${name}`, 'cannot be set for an Ephemeral Container'),
  )

const isEmpty = (value: object | undefined): boolean => value === undefined || Object.keys(value).length === 0

const ONLY_RUNNING = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const

/** An init container that ends has nobody to probe it. */
export const validateInitial = (container: Container, field: string): FieldError[] => {
  if (container.restartPolicy === 'Always') return validateRunning(container, field)
  const detail = 'may not be set for init containers without restartPolicy=Always'
  return ONLY_RUNNING.filter(name => container[name] !== undefined).map(name =>
    fieldForbidden(`${field}.${name}`, detail),
  )
}
