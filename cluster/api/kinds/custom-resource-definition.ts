/** CustomResourceDefinition: a kind that its author makes. What is served of it follows from its status. */

import { createdColumn } from '../column.ts'
import { CLEANUP_FINALIZER, type DefinitionSpec, setCondition, specOf, statusOf } from '../custom/definition.ts'
import {
  validateDefinition,
  validateDefinitionStatus,
  validateDefinitionUpdate,
} from '../custom/definition-validation.ts'
import { formatWarnings } from '../custom/format-warnings.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'

/** The stored versions know of the version that is written from now on. */
const noteStoredVersion = (definition: ApiObject): void => {
  const stored = specOf(definition).versions?.find(({ storage }) => storage)?.name
  definition.status ??= {}
  const status = statusOf(definition)
  status.storedVersions ??= []
  if (stored && !status.storedVersions.includes(stored)) status.storedVersions.push(stored)
}

const applyDefaults = (definition: ApiObject): void => {
  definition.spec ??= {}
  const spec = definition.spec as DefinitionSpec
  spec.names ??= {}
  spec.names.singular ||= spec.names.kind?.toLowerCase() ?? ''
  if (spec.names.kind) spec.names.listKind ||= `${spec.names.kind}List`
  spec.conversion ??= { strategy: 'None' }
  const service = spec.conversion.webhook?.clientConfig?.service
  if (service) service.port ??= 443
  if ((statusOf(definition).storedVersions ?? []).length === 0) noteStoredVersion(definition)
}

export const customResourceDefinitionKind: Kind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  type: 'apiextensions.k8s.io/v1.CustomResourceDefinition',
  hasStatus: true,
  statusResets: ['metadata'],
  countsGenerations: true,
  marksDeletionByTime: true,
  takesAnyFinalizer: true,
  unconditionalUpdate: false,
  applyDefaults,
  prepareForCreate(definition) {
    definition.status = {}
    noteStoredVersion(definition)
  },
  prepareForUpdate: noteStoredVersion,
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  validateStatusUpdate: validateDefinitionStatus,
  warnings: formatWarnings,
  deleteReturnsObject: true,
  prepareForDelete(definition) {
    const { metadata } = definition
    metadata.finalizers ??= []
    if (!metadata.finalizers.includes(CLEANUP_FINALIZER)) metadata.finalizers.push(CLEANUP_FINALIZER)
    definition.status ??= {}
    setCondition(
      statusOf(definition),
      {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionPending',
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      },
      metadata.deletionTimestamp ?? '',
    )
  },
  columns: [createdColumn],
}
