/** A verb's write as the field manager sees it. */
import type { ApiObject, ManagedFieldsEntry } from '#cluster/api/object.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import type { FieldWrite } from '../apply/field-manager.ts'
import type { Registry, Resource } from '../registry.ts'
import type { Subresource, WriteOptions } from './request.ts'

export const fieldWrite = (
  registry: Registry,
  { resource, subresource }: { readonly resource: Resource; readonly subresource?: Subresource | undefined },
  { manager, through }: WriteOptions,
): FieldWrite => ({
  kind: resource.kind,
  versions: registry.versionsOf(resource.kind),
  subresource: subresource ?? through,
  manager,
  time: timestamp(registry.clock.now()),
})

export const setOwners = ({ metadata }: ApiObject, entries: ManagedFieldsEntry[] | undefined): void => {
  if (entries) metadata.managedFields = entries
  else delete metadata.managedFields
}
