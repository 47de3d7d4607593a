/** What the apiserver can be told. */
import type { OptionTable } from '#lib/options.ts'

export const APISERVER_OPTIONS = {
  historySize: {
    type: 'number',
    default: 4096,
    minimum: 1,
    maximum: 1_000_000,
    unit: 'changes',
    doc: 'changes of each kind that are kept in memory for watches that resume',
  },
  compactionInterval: {
    type: 'number',
    default: 300_000,
    minimum: 1_000,
    maximum: 86_400_000,
    unit: 'ms',
    doc: 'how often history older than one interval is forgotten (kube-apiserver: --etcd-compaction-interval)',
  },
  tokenAuthFile: {
    type: 'text',
    default: '',
    doc: 'CSV file of bearer tokens, read at the start: token,user,uid[,"group,group"]',
  },
  oidcIssuerUrl: {
    type: 'text',
    default: '',
    doc: 'OpenID Connect provider whose ID tokens name users (https://…)',
  },
  oidcClientId: { type: 'text', default: '', doc: 'whom those tokens must be for (their aud)' },
  oidcUsernameClaim: { type: 'text', default: 'sub', doc: "claim of those tokens that is the user's name" },
  oidcUsernamePrefix: {
    type: 'text',
    default: '',
    doc: 'what stands before that name; "-": nothing (default: the issuer and "#", but for email)',
  },
  oidcGroupsClaim: { type: 'text', default: '', doc: "claim of those tokens that lists the user's groups" },
  oidcGroupsPrefix: { type: 'text', default: '', doc: 'what stands before the name of each such group' },
  oidcRequiredClaim: {
    type: 'text',
    default: '',
    doc: 'claims that those tokens must have: key=value, commas between',
  },
  oidcCaFile: {
    type: 'text',
    default: '',
    doc: "PEM of the authority that signs the provider's certificate (default: the system's)",
  },
  authenticationTokenWebhookConfigFile: {
    type: 'text',
    default: '',
    doc: 'kubeconfig of a server that knows tokens (TokenReview)',
  },
  authenticationTokenWebhookCacheTtl: {
    type: 'number',
    default: 120_000,
    minimum: 0,
    maximum: 86_400_000,
    unit: 'ms',
    doc: 'how long its answers hold',
  },
  authorizationWebhookConfigFile: {
    type: 'text',
    default: '',
    doc: 'kubeconfig of a server that decides what roles do not allow (SubjectAccessReview)',
  },
  authorizationWebhookCacheAuthorizedTtl: {
    type: 'number',
    default: 300_000,
    minimum: 0,
    maximum: 86_400_000,
    unit: 'ms',
    doc: 'how long its yes holds',
  },
  authorizationWebhookCacheUnauthorizedTtl: {
    type: 'number',
    default: 30_000,
    minimum: 0,
    maximum: 86_400_000,
    unit: 'ms',
    doc: 'how long any other answer of it holds',
  },
  enableAdmissionPlugins: {
    type: 'text',
    default: '',
    doc: 'admission plugins that are asked, commas between: all are, unless disabled',
  },
  disableAdmissionPlugins: {
    type: 'text',
    default: '',
    doc: 'admission plugins that are not asked, commas between',
  },
} as const satisfies OptionTable
