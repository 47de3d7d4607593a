/**
 * The three gates that stand before the verbs: who asks (authentication), may they (authorisation), and is what they
 * write in order (admission). Made once everything stored is in memory.
 */
import { readFileSync } from 'node:fs'
import type { Kind } from '#cluster/api/kind.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry as MetricsRegistry } from '#lib/metrics.ts'
import type { OptionValues } from '#lib/options.ts'
import type { Action } from './action.ts'
import { createActions } from './actions/index.ts'
import { createAdmission } from './admission/index.ts'
import { resourceQuota } from './admission/resource-quota.ts'
import { Admission } from './admission.ts'
import { readAdmissionFile } from './admission-file.ts'
import { AdmissionMetrics } from './admission-metrics.ts'
import type { Authenticator, IdentifiedToken, TokenAuthenticator, User } from './authenticator.ts'
import { createBearerTokenAuthenticator } from './authn/bearer-token.ts'
import { createBootstrapTokenAuthenticator } from './authn/bootstrap-token.ts'
import { createClientCertificateAuthenticator } from './authn/client-certificate.ts'
import { createOidcAuthenticator, readSigningAlgorithms } from './authn/oidc.ts'
import { createServiceAccountAuthenticator } from './authn/service-account.ts'
import { createTokenFileAuthenticator } from './authn/token-file.ts'
import { createWebhookTokenAuthenticator } from './authn/webhook.ts'
import { createWebsocketTokenAuthenticator } from './authn/websocket-token.ts'
import { type Attributes, type Authorizer, type Decision, decide, type Rules } from './authorizer.ts'
import { healthAuthorizer } from './authz/health.ts'
import { mastersAuthorizer } from './authz/masters.ts'
import { createNodeAuthorizer } from './authz/node.ts'
import { createRbacAuthorizer } from './authz/rbac.ts'
import { createWebhookAuthorizer } from './authz/webhook.ts'
import { defaultRules } from './bootstrap/roles.ts'
import { NodePods } from './node/node-pods.ts'
import type { APISERVER_OPTIONS } from './options.ts'
import { Quotas } from './quota/quotas.ts'
import { Recount } from './quota/recount.ts'
import { Grants } from './rbac/grants.ts'
import type { Registry } from './registry.ts'
import { PolicyStatus } from './review/policy-status.ts'
import type { Cacher } from './storage/cacher.ts'
import type { TokenIssuer } from './tokens/token-issuer.ts'
import type { WebhookClients } from './webhook/webhook-clients.ts'
import { openWebhook } from './webhook/webhook-file.ts'

export interface Gates {
  readonly authenticators: readonly Authenticator[]
  readonly decide: (attributes: Attributes) => Promise<Decision>
  readonly actions: readonly Action[]
  /** Ends what the gates do by themselves. */
  readonly close: () => void
}

const mergeRules = (authorizers: readonly Authorizer[], user: User, namespace: string): Rules => {
  const all = authorizers.map(authorizer => authorizer.rulesFor?.(user, namespace)).filter(rules => rules !== undefined)
  const incomplete = all.flatMap(rules => rules.incomplete ?? [])
  return {
    resourceRules: all.flatMap(rules => rules.resourceRules),
    nonResourceRules: all.flatMap(rules => rules.nonResourceRules),
    ...(incomplete.length > 0 ? { incomplete: incomplete.join('; ') } : {}),
  }
}

const firstKnown = async (
  authenticators: readonly TokenAuthenticator[],
  token: string,
  audiences: readonly string[],
): Promise<IdentifiedToken> => {
  for (const authenticator of authenticators) {
    const identified = await authenticator.authenticateToken(token, audiences.length > 0 ? audiences : undefined)
    if (identified !== 'none') return identified
  }
  return 'none'
}

const listed = (text: string): readonly string[] =>
  text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')

export interface GatesEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: MetricsRegistry
  /** The caller's to close. */
  readonly clients: WebhookClients
  /** Of tokens of service accounts. */
  readonly issuer: TokenIssuer
  /** PEM of the cluster's CA. */
  readonly authority: string
  readonly options: OptionValues<typeof APISERVER_OPTIONS>
}

/** A webhook is asked with this deadline; a request that waits longer is of no use to its client. */
const WEBHOOK_TIMEOUT: Milliseconds = 10_000

const readAuthority = (path: string): string | undefined => {
  if (path === '') return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SeamarkError('BAD_OPTION', `--oidc-ca-file: ${path}: ${(cause as Error).message}`, { cause })
  }
}

const createOidc = ({ options, clock, logger }: GatesEnvironment): TokenAuthenticator => {
  // Whoever is between could else say whose tokens are good; kube-apiserver refuses it as well.
  if (URL.parse(options.oidcIssuerUrl)?.protocol !== 'https:')
    throw new SeamarkError(
      'BAD_OPTION',
      `--oidc-issuer-url: ${JSON.stringify(options.oidcIssuerUrl)} is no https:// URL`,
    )
  if (options.oidcClientId === '')
    throw new SeamarkError('BAD_OPTION', '--oidc-client-id: must be said where --oidc-issuer-url is')
  return createOidcAuthenticator({
    issuer: options.oidcIssuerUrl,
    clientId: options.oidcClientId,
    usernameClaim: options.oidcUsernameClaim,
    usernamePrefix: options.oidcUsernamePrefix,
    groupsClaim: options.oidcGroupsClaim,
    groupsPrefix: options.oidcGroupsPrefix,
    requiredClaims: options.oidcRequiredClaim,
    signingAlgorithms: readSigningAlgorithms(options.oidcSigningAlgs),
    ca: readAuthority(options.oidcCaFile),
    clock,
    logger,
  })
}

/** Those that look into memory first, those that ask others last. */
const createTokenAuthenticators = (
  cacher: Cacher,
  environment: GatesEnvironment,
  audiences: readonly string[],
): readonly TokenAuthenticator[] => {
  const { clock, issuer, logger, options } = environment
  const { tokenAuthFile, oidcIssuerUrl, authenticationTokenWebhookConfigFile: webhookFile } = options
  const webhook = () =>
    openWebhook({ path: webhookFile, flag: '--authentication-token-webhook-config-file', timeout: WEBHOOK_TIMEOUT })
  const lifetime = options.authenticationTokenWebhookCacheTtl
  return [
    ...(tokenAuthFile === '' ? [] : [createTokenFileAuthenticator(tokenAuthFile)]),
    createServiceAccountAuthenticator({ cacher, clock, issuer, audiences }),
    createBootstrapTokenAuthenticator(cacher, clock),
    ...(oidcIssuerUrl === '' ? [] : [createOidc(environment)]),
    ...(webhookFile === ''
      ? []
      : [createWebhookTokenAuthenticator({ webhook: webhook(), lifetime, audiences, logger })]),
  ]
}

const createAuthorizers = (
  cacher: Cacher,
  grants: Grants,
  { logger, options }: GatesEnvironment,
): readonly Authorizer[] => {
  const { authorizationWebhookConfigFile: webhookFile } = options
  const own = [
    healthAuthorizer,
    mastersAuthorizer,
    createNodeAuthorizer({ cacher, pods: new NodePods(cacher), rules: defaultRules('system:node') }),
    createRbacAuthorizer(grants),
  ]
  if (webhookFile === '') return own
  const path = { path: webhookFile, flag: '--authorization-webhook-config-file', timeout: WEBHOOK_TIMEOUT }
  const webhook = createWebhookAuthorizer({
    webhook: openWebhook(path),
    allowed: options.authorizationWebhookCacheAuthorizedTtl,
    refused: options.authorizationWebhookCacheUnauthorizedTtl,
    logger,
  })
  return [...own, webhook]
}

/**
 * Sets the registry's admission and quotas.
 * @throws SeamarkError BAD_OPTION
 */
export const createGates = (registry: Registry, environment: GatesEnvironment): Gates => {
  const { clock, issuer, authority, options, logger, clients } = environment
  const { cacher } = registry
  // As Kubernetes: whoever gets a token for the issuer gets it for the apiserver.
  const audiences = [issuer.issuer]
  const grants = new Grants(cacher)
  const authorizers = createAuthorizers(cacher, grants, environment)
  const tokens = createTokenAuthenticators(cacher, environment, audiences)
  const judge = (attributes: Attributes): Promise<Decision> => decide(authorizers, attributes)
  const { random } = registry
  const metrics = new AdmissionMetrics(environment.metrics)
  const versionsOf = (kind: Kind) => registry.versionsOf(kind)
  const reviewing = { clients, metrics, clock, logger, versionsOf, resources: () => registry.resources }
  const file = readAdmissionFile(options.admissionControlConfigFile)
  const plugins = createAdmission(
    { cacher, random, grants, decide: judge, issuer, authority, ...reviewing },
    {
      enabled: listed(options.enableAdmissionPlugins),
      disabled: listed(options.disableAdmissionPlugins),
      file,
    },
  )
  registry.admission = new Admission(plugins, { metrics, monotonic: () => clock.monotonic() })
  registry.quotas = new Quotas(registry, plugins.includes(resourceQuota), file.limitedResources)
  const recount = new Recount(registry, registry.quotas, logger)
  const policyStatus = new PolicyStatus(registry, logger)
  for (const loop of [recount, policyStatus]) loop.start()
  return {
    authenticators: [
      createClientCertificateAuthenticator(clock),
      createBearerTokenAuthenticator(tokens),
      createWebsocketTokenAuthenticator(tokens),
    ],
    decide: judge,
    close() {
      recount.close()
      policyStatus.close()
    },
    actions: createActions({
      registry,
      now: () => clock.now(),
      decide: judge,
      issuer,
      audiences,
      rulesFor: (user, namespace) => mergeRules(authorizers, user, namespace),
      authenticateToken: (token, wanted) => firstKnown(tokens, token, wanted),
    }),
  }
}
