/** Whether the Kubernetes project has approved a definition in one of its own groups (KEP-1111). */
import type { ApiObject } from '../object.ts'

export const APPROVAL = 'api-approved.kubernetes.io'

/** Groups that are the Kubernetes project's own. */
export const isProtectedGroup = (group: string): boolean =>
  ['k8s.io', 'kubernetes.io'].some(domain => group === domain || group.endsWith(`.${domain}`))

export type Approval = 'missing' | 'invalid' | 'approved' | 'bypassed'

/** What the annotation says of a review of the API (KEP-1111). */
export const approvalOf = ({ metadata }: ApiObject): { readonly approval: Approval; readonly reason: string } => {
  const annotation = metadata.annotations?.[APPROVAL]
  if (!annotation) {
    const reason = `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`
    return { approval: 'missing', reason }
  }
  if (annotation.startsWith('unapproved')) {
    return { approval: 'bypassed', reason: `not approved: ${JSON.stringify(annotation)}` }
  }
  const url = URL.parse(annotation)
  if (url?.host) return { approval: 'approved', reason: `approved in ${annotation}` }
  const reason = `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`
  return { approval: 'invalid', reason }
}
