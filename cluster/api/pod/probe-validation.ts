/** The rules for probes and lifecycle handlers: something that the kubelet does to ask or tell a container. */
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { checkHttpHeader, checkPort, checkPortName } from '../name.ts'
import type { Probe, ProbeHandler } from './pod.ts'

const KINDS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const
const SCHEMES = ['HTTP', 'HTTPS']

const validatePort = (port: number | string | undefined, field: string): FieldError[] => {
  const complaints = typeof port === 'string' ? checkPortName(port) : checkPort(port)
  return complaints.map(complaint => fieldInvalid(field, port ?? 0, complaint))
}

const validateHttp = (
  { path = '', port, scheme = '', httpHeaders = [] }: NonNullable<ProbeHandler['httpGet']>,
  field: string,
) => {
  const errors = validatePort(port, `${field}.port`)
  if (path === '') errors.push(fieldRequired(`${field}.path`))
  if (!SCHEMES.includes(scheme)) errors.push(fieldNotSupported(`${field}.scheme`, scheme, SCHEMES))
  for (const { name = '' } of httpHeaders) {
    for (const complaint of checkHttpHeader(name)) errors.push(fieldInvalid(`${field}.httpHeaders`, name, complaint))
  }
  return errors
}

export const validateHandler = (handler: ProbeHandler, field: string): FieldError[] => {
  const [first, ...others] = KINDS.filter(kind => handler[kind] !== undefined)
  if (first === undefined) return [fieldRequired(field, 'must specify a handler type')]
  const errors = others.map(kind => fieldForbidden(`${field}.${kind}`, 'may not specify more than 1 handler type'))
  if (handler.exec && !handler.exec.command?.length) errors.push(fieldRequired(`${field}.exec.command`))
  if (handler.httpGet) errors.push(...validateHttp(handler.httpGet, `${field}.httpGet`))
  if (handler.tcpSocket) errors.push(...validatePort(handler.tcpSocket.port, `${field}.tcpSocket.port`))
  if (handler.grpc) errors.push(...validatePort(handler.grpc.port, `${field}.grpc.port`))
  return errors
}

const COUNTS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

export const validateProbe = (probe: Probe, field: string): FieldError[] => {
  const errors = validateHandler(probe, field)
  for (const name of COUNTS) {
    const value = probe[name] ?? 0
    if (value < 0) errors.push(fieldInvalid(`${field}.${name}`, value, 'must be greater than or equal to 0'))
  }
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined && grace <= 0) {
    errors.push(fieldInvalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'))
  }
  return errors
}

/** A failed liveness or startup probe ends the container: it cannot succeed twice before it counts. */
export const validateEndingProbe = (probe: Probe, field: string): FieldError[] => {
  const errors = validateProbe(probe, field)
  if (probe.successThreshold !== 1) {
    errors.push(fieldInvalid(`${field}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'))
  }
  return errors
}
