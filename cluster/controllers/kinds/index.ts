/** All controllers, each with the service account in kube-system that it is: the names that Kubernetes's roles have. */
import type { CreateController } from '../controller.ts'
import { certificateApprover } from './certificate-approver.ts'
import { certificateCleaner } from './certificate-cleaner.ts'
import { certificateSigner } from './certificate-signer.ts'
import { clusterRoleAggregationController } from './cluster-role-aggregation.ts'
import { garbageCollector } from './garbage-collector.ts'
import { namespaceController } from './namespace.ts'
import { rootCaPublisher } from './root-ca-publisher.ts'
import { serviceAccountController } from './service-account.ts'
import { serviceCidrController } from './service-cidr.ts'
import { volumeAttributesClassProtectionController } from './volume-attributes-class-protection.ts'
import { volumeClaimProtectionController } from './volume-claim-protection.ts'
import { volumeProtectionController } from './volume-protection.ts'

export interface ControllerEntry {
  readonly account: string
  readonly create: CreateController
}

export const CONTROLLERS: readonly ControllerEntry[] = [
  { account: 'certificate-controller', create: certificateApprover },
  { account: 'certificate-controller', create: certificateCleaner },
  { account: 'certificate-controller', create: certificateSigner },
  { account: 'clusterrole-aggregation-controller', create: clusterRoleAggregationController },
  { account: 'generic-garbage-collector', create: garbageCollector },
  { account: 'namespace-controller', create: namespaceController },
  { account: 'pv-protection-controller', create: volumeProtectionController },
  { account: 'pvc-protection-controller', create: volumeClaimProtectionController },
  { account: 'root-ca-cert-publisher', create: rootCaPublisher },
  { account: 'service-account-controller', create: serviceAccountController },
  { account: 'service-cidrs-controller', create: serviceCidrController },
  { account: 'volumeattributesclass-protection-controller', create: volumeAttributesClassProtectionController },
]
