/** The 403 of a request that its user may not make, in Kubernetes's words. */
import { failure, type Status } from '#cluster/api/status.ts'
import type { Attributes } from '../authorizer.ts'

const quote = (text: string): string => JSON.stringify(text)

const describe = ({ user, verb, path, resource: asked }: Attributes): string => {
  const who = `User ${quote(user.name)} cannot ${verb}`
  if (!asked) return `${who} path ${quote(path)}`
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`
  const place = asked.namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(asked.namespace)}`
  return `${who} resource ${quote(resource)} in API group ${quote(asked.group)} ${place}`
}

const subjectOf = ({ resource }: Attributes): string => {
  if (!resource) return ''
  const plural = resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`
  return resource.name === '' ? `${plural} is ` : `${plural} ${quote(resource.name)} is `
}

/** `reason`: why, '' where nobody says. */
export const forbiddenRequest = (attributes: Attributes, reason: string): Status => {
  const { resource } = attributes
  const details = resource
    ? {
        ...(resource.name ? { name: resource.name } : {}),
        ...(resource.group ? { group: resource.group } : {}),
        kind: resource.resource,
      }
    : {}
  const text = reason === '' ? describe(attributes) : `${describe(attributes)}: ${reason}`
  return failure(403, 'Forbidden', `${subjectOf(attributes)}forbidden: ${text}`, details)
}
