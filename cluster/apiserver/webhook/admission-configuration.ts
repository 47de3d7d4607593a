/** What the operator tells the plugins that ask webhooks (WebhookAdmissionConfiguration): where their credentials are. */
import { isAbsolute } from 'node:path'
import { type FieldError, fieldInvalid, fieldRequired } from '#cluster/api/field-error.ts'
import { checkConfiguration } from '../plugin-configuration.ts'
import { HostCredentials } from './host-credentials.ts'

const GROUP = 'apiserver.config.k8s.io'
const TYPES = [
  { apiVersion: `${GROUP}/v1`, kind: 'WebhookAdmissionConfiguration' },
  { apiVersion: `${GROUP}/v1alpha1`, kind: 'WebhookAdmission' },
]

const read = (path: string, field: string): HostCredentials | FieldError => {
  try {
    return new HostCredentials(path)
  } catch (error) {
    return fieldInvalid(field, path, (error as Error).message)
  }
}

/** `place`: what stands before the names of its fields; '' for a file of its own. */
export const readWebhookAdmission = (
  value: unknown,
  place: string,
): { readonly configuration: HostCredentials | undefined; readonly errors: readonly FieldError[] } => {
  const { fields, errors } = checkConfiguration(value, place, { types: TYPES, known: ['kubeConfigFile'] })
  const field = place === '' ? 'kubeConfigFile' : `${place}.kubeConfigFile`
  const { kubeConfigFile: path = '' } = fields
  const refuse = (error: FieldError) => ({ configuration: undefined, errors: [...errors, error] })
  if (path === '') return refuse(fieldRequired(field))
  // As kube-apiserver: it may be said in two files, and is the same in both.
  if (typeof path !== 'string' || !isAbsolute(path))
    return refuse(fieldInvalid(field, path, 'must be an absolute file path'))
  const configuration = read(path, field)
  return configuration instanceof HostCredentials ? { configuration, errors } : refuse(configuration)
}
