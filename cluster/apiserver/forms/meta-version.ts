/** Of meta.k8s.io. Clients older than Kubernetes 1.15 ask for v1beta1, which is the same. */
export type MetaVersion = 'v1' | 'v1beta1'
