/** Every kind that the API serves. */
import type { Kind } from '../kind.ts'
import { apiServiceKind } from './api-service.ts'
import { certificateSigningRequestKind } from './certificate-signing-request.ts'
import { clusterRoleKind } from './cluster-role.ts'
import { clusterRoleBindingKind } from './cluster-role-binding.ts'
import { configMapKind } from './config-map.ts'
import { controllerRevisionKind } from './controller-revision.ts'
import { cronJobKind } from './cron-job.ts'
import { csiDriverKind } from './csi-driver.ts'
import { csiNodeKind } from './csi-node.ts'
import { csiStorageCapacityKind } from './csi-storage-capacity.ts'
import { customResourceDefinitionKind } from './custom-resource-definition.ts'
import { daemonSetKind } from './daemon-set.ts'
import { deploymentKind } from './deployment.ts'
import { endpointSliceKind } from './endpoint-slice.ts'
import { endpointsKind } from './endpoints.ts'
import { eventKind } from './event.ts'
import { eventsEventKind } from './events-event.ts'
import { horizontalPodAutoscalerKind } from './horizontal-pod-autoscaler.ts'
import { horizontalPodAutoscalerV1Kind } from './horizontal-pod-autoscaler-v1.ts'
import { ingressKind } from './ingress.ts'
import { ingressClassKind } from './ingress-class.ts'
import { ipAddressKind } from './ip-address.ts'
import { jobKind } from './job.ts'
import { leaseKind } from './lease.ts'
import { limitRangeKind } from './limit-range.ts'
import { mutatingWebhookConfigurationKind } from './mutating-webhook-configuration.ts'
import { namespaceKind } from './namespace.ts'
import { networkPolicyKind } from './network-policy.ts'
import { nodeKind } from './node.ts'
import { persistentVolumeKind } from './persistent-volume.ts'
import { persistentVolumeClaimKind } from './persistent-volume-claim.ts'
import { podKind } from './pod.ts'
import { podDisruptionBudgetKind } from './pod-disruption-budget.ts'
import { podTemplateKind } from './pod-template.ts'
import { priorityClassKind } from './priority-class.ts'
import { replicaSetKind } from './replica-set.ts'
import { replicationControllerKind } from './replication-controller.ts'
import { resourceQuotaKind } from './resource-quota.ts'
import { roleKind } from './role.ts'
import { roleBindingKind } from './role-binding.ts'
import { runtimeClassKind } from './runtime-class.ts'
import { secretKind } from './secret.ts'
import { serviceKind } from './service.ts'
import { serviceAccountKind } from './service-account.ts'
import { serviceCidrKind } from './service-cidr.ts'
import { statefulSetKind } from './stateful-set.ts'
import { storageClassKind } from './storage-class.ts'
import { validatingAdmissionPolicyKind } from './validating-admission-policy.ts'
import { validatingAdmissionPolicyBindingKind } from './validating-admission-policy-binding.ts'
import { validatingWebhookConfigurationKind } from './validating-webhook-configuration.ts'
import { volumeAttachmentKind } from './volume-attachment.ts'
import { volumeAttributesClassKind } from './volume-attributes-class.ts'

/** In the order of discovery: core first, then groups by name. */
export const KINDS: readonly Kind[] = [
  configMapKind,
  endpointsKind,
  eventKind,
  limitRangeKind,
  namespaceKind,
  nodeKind,
  persistentVolumeKind,
  persistentVolumeClaimKind,
  podKind,
  podTemplateKind,
  replicationControllerKind,
  resourceQuotaKind,
  secretKind,
  serviceKind,
  serviceAccountKind,
  apiServiceKind,
  mutatingWebhookConfigurationKind,
  validatingAdmissionPolicyKind,
  validatingAdmissionPolicyBindingKind,
  validatingWebhookConfigurationKind,
  customResourceDefinitionKind,
  controllerRevisionKind,
  daemonSetKind,
  deploymentKind,
  replicaSetKind,
  statefulSetKind,
  horizontalPodAutoscalerKind,
  horizontalPodAutoscalerV1Kind,
  cronJobKind,
  jobKind,
  certificateSigningRequestKind,
  leaseKind,
  endpointSliceKind,
  eventsEventKind,
  ingressKind,
  ingressClassKind,
  ipAddressKind,
  networkPolicyKind,
  serviceCidrKind,
  runtimeClassKind,
  podDisruptionBudgetKind,
  clusterRoleBindingKind,
  clusterRoleKind,
  roleBindingKind,
  roleKind,
  priorityClassKind,
  csiDriverKind,
  csiNodeKind,
  csiStorageCapacityKind,
  storageClassKind,
  volumeAttachmentKind,
  volumeAttributesClassKind,
]
