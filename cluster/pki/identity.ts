/**
 * Who programs are to the apiserver: the user (CN) and the groups (O) of their client certificates, by the names that
 * Kubernetes gives them (kubernetes.io/docs/reference/access-authn-authz/rbac, "Core component roles"; kubeadm; the
 * upstream manifests of add-ons, which run under service accounts).
 */
import type { PeerCertificate } from 'node:tls'
import type { Subject } from './issue.ts'

export interface Identity {
  readonly user: string
  readonly groups: readonly string[]
}

/**
 * Whoever holds it may do everything: the apiserver lets `system:masters` pass before it asks any authoriser, so no
 * role binding has to exist. (kubeadm ≥ 1.29 gives its admin.conf `kubeadm:cluster-admins`, which it then binds, and
 * keeps `system:masters` for super-admin.conf; there is no such step here.)
 */
export const ADMIN: Identity = { user: 'kubernetes-admin', groups: ['system:masters'] }

const component = (user: string): Identity => ({ user, groups: [] })

/** What a token of this service account stands for (kubernetes.io, "Authenticating", service account tokens). */
const serviceAccount = (namespace: string, name: string): Identity => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
})

/** The kubelet of a node, as the node authoriser wants it. */
const node = (name: string): Identity => ({ user: `system:node:${name}`, groups: ['system:nodes'] })

/** Program → identity; the name is also that of its kubeconfig. */
export const programIdentities = (nodeName: string) =>
  ({
    'controller-manager': component('system:kube-controller-manager'),
    scheduler: component('system:kube-scheduler'),
    kubelet: node(nodeName),
    'kube-proxy': component('system:kube-proxy'),
    dns: serviceAccount('kube-system', 'coredns'),
    'cloud-controller-manager': serviceAccount('kube-system', 'cloud-controller-manager'),
    flannel: serviceAccount('kube-flannel', 'flannel'),
    calico: serviceAccount('kube-system', 'calico-node'),
    dashboard: serviceAccount('kubernetes-dashboard', 'kubernetes-dashboard'),
  }) as const satisfies Readonly<Record<string, Identity>>

export type ProgramName = keyof ReturnType<typeof programIdentities>

export const subjectOf = ({ user, groups }: Identity): Subject => ({ commonName: user, organizations: groups })

const all = (field: string | string[] | undefined): readonly string[] =>
  field === undefined ? [] : typeof field === 'string' ? [field] : field

/**
 * Who a verified peer certificate (`TLSSocket.getPeerCertificate()`) says its holder is. Undefined when it names no
 * user. As in Kubernetes, the last CN counts where a certificate has several. Whether the certificate was verified
 * (`TLSSocket.authorized`) is the caller's to ask first.
 */
export const identityOfCertificate = (certificate: Pick<PeerCertificate, 'subject'>): Identity | undefined => {
  // Without a certificate Node gives an empty object.
  const subject = certificate.subject as Partial<Record<'CN' | 'O', string | string[]>> | undefined
  const user = all(subject?.CN).at(-1)
  return user ? { user, groups: all(subject?.O) } : undefined
}
