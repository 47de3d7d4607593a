/**
 * Who owns fields: an entry of metadata.managedFields. Two entries are the same manager's when name, operation and
 * subresource are, and the version for those that update; an applier has one set whatever the version.
 */
import type { ManagedFieldsEntry } from '#cluster/api/object.ts'

/** Identifies a manager within an object. */
export type ManagerId = string

export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  /** `''`: the object itself. */
  readonly subresource: string
}

export const managerOf = (entry: ManagedFieldsEntry): Manager => ({
  name: entry.manager ?? '',
  operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
  apiVersion: entry.apiVersion ?? '',
  subresource: entry.subresource ?? '',
})

/** The members and their order are Kubernetes's: conflicts are told in the order of these texts. */
export const managerId = ({ name, operation, apiVersion, subresource }: Manager): ManagerId =>
  JSON.stringify({
    ...(name ? { manager: name } : {}),
    operation,
    ...(operation === 'Update' && apiVersion ? { apiVersion } : {}),
    ...(subresource ? { subresource } : {}),
  })

/** As a conflict names it: `"kubectl-edit" with subresource "status" using apps/v1`. */
export const describeManager = ({ name, operation, apiVersion, subresource }: Manager): string => {
  const through = subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''
  return `${JSON.stringify(name)}${through}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}
