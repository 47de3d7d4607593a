/** Kubelets: users `system:node:NAME` in the group `system:nodes` (Kubernetes: Using Node Authorization). */
import type { User } from '../authenticator.ts'

const PREFIX = 'system:node:'
const GROUP = 'system:nodes'

/** The node whose kubelet the user is; '' for a kubelet of nobody knows which; undefined: no kubelet. */
export const nodeOfUser = ({ name, groups }: User): string | undefined =>
  name.startsWith(PREFIX) && groups.includes(GROUP) ? name.slice(PREFIX.length) : undefined
