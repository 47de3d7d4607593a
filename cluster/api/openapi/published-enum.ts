/** Which sets of values Kubernetes' own documents publish: those of types that its source marks `+enum`. */
import { enumValues, type FieldSchema } from '../schema.ts'

/** Names in types.json, by group and version. The other sets are closed to validation only, or open. */
const PUBLISHED: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1': [
    'FailurePolicyType MatchPolicyType OperationType ReinvocationPolicyType ScopeType SideEffectClass',
    'ValidationAction',
  ].join(' '),
  'apiextensions.k8s.io/v1': 'FieldValueErrorReason',
  'apps/v1': [
    'DaemonSetUpdateStrategyType DeploymentStrategyType PodManagementPolicyType StatefulSetUpdateStrategyType',
  ].join(' '),
  'batch/v1': [
    'CompletionMode ConcurrencyPolicy PodFailurePolicyAction PodFailurePolicyOnExitCodesOperator',
    'PodReplacementPolicy',
  ].join(' '),
  'certificates.k8s.io/v1': 'KeyUsage',
  'core/v1': [
    'AppArmorProfileType AzureDataDiskCachingMode AzureDataDiskKind ClaimResourceStatus DNSPolicy HostPathType',
    'IPFamily IPFamilyPolicy MountPropagationMode NamespacePhase NodeInclusionPolicy NodePhase',
    'NodeSelectorOperator PersistentVolumeAccessMode PersistentVolumeClaimModifyVolumeStatus',
    'PersistentVolumeClaimPhase PersistentVolumeMode PersistentVolumePhase PersistentVolumeReclaimPolicy',
    'PodFSGroupChangePolicy PodPhase PodQOSClass PreemptionPolicy ProcMountType Protocol PullPolicy',
    'ResourceQuotaScope RestartPolicy ScopeSelectorOperator SeccompProfileType ServiceAffinity',
    'ServiceExternalTrafficPolicy ServiceInternalTrafficPolicy ServiceType Signal SupplementalGroupsPolicy',
    'TaintEffect TerminationMessagePolicy TolerationOperator URIScheme UnsatisfiableConstraintAction',
  ].join(' '),
  'networking.k8s.io/v1': 'PolicyType',
  'policy/v1': 'UnhealthyPodEvictionPolicyType',
  'storage.k8s.io/v1': 'VolumeBindingMode',
}

/** Fields whose set types.json does not name. */
const UNNAMED: Readonly<Record<string, readonly string[]>> = {
  'discovery.k8s.io/v1.EndpointSlice.addressType': ['FQDN', 'IPv4', 'IPv6'],
  'networking.k8s.io/v1.HTTPIngressPath.pathType': ['Exact', 'ImplementationSpecific', 'Prefix'],
}

const published = new Set(
  Object.entries(PUBLISHED).flatMap(([place, names]) => names.split(' ').map(name => `${place}.${name}`)),
)

/** What the document says that the field may hold, sorted; undefined: it says nothing. `type`: whose field it is. */
export const publishedEnum = ({ name, enum: set }: FieldSchema, type: string): readonly string[] | undefined =>
  set !== undefined && published.has(set) ? enumValues(set).toSorted() : UNNAMED[`${type}.${name}`]
