/** A kind in two versions of different shape, `hostPort` and `host` with `port`, and the webhook that converts them. */
import type { ExecutionContext } from 'ava'
import type { RunningApiserver } from './apiserver.ts'
import { type Answer, type Review, startWebhookServer, type WebhookServer } from './webhook-server.ts'

// biome-ignore lint/suspicious/noExplicitAny: objects of any shape.
export type Json = any

export const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
export const V1 = '/apis/stable.example.com/v1/namespaces/default/backends'
export const V2 = '/apis/stable.example.com/v2/namespaces/default/backends'
export const DEFINITION = `${DEFINITIONS}/backends.stable.example.com`

const schemaOf = (properties: Json) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { ...properties, weight: { type: 'integer', default: 1 } } },
      status: { type: 'object', properties: { ready: { type: 'boolean' } } },
    },
  },
})

const versionOf = (name: string, fields: Json, columns: readonly string[]) => ({
  name,
  served: true,
  storage: name === 'v1',
  subresources: { status: {} },
  schema: schemaOf(fields),
  additionalPrinterColumns: columns.map(field => ({
    name: field,
    type: fields[field].type,
    jsonPath: `.spec.${field}`,
  })),
})

const VERSIONS = [
  versionOf('v1', { hostPort: { type: 'string' } }, ['hostPort']),
  {
    ...versionOf('v2', { host: { type: 'string' }, port: { type: 'integer', maximum: 65_535 } }, ['host', 'port']),
    selectableFields: [{ jsonPath: '.spec.host' }],
  },
]

export const backends = (clientConfig: Json, conversionReviewVersions = ['v1']): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'backends.stable.example.com' },
  spec: {
    group: 'stable.example.com',
    scope: 'Namespaced',
    names: { plural: 'backends', singular: 'backend', kind: 'Backend' },
    versions: VERSIONS,
    conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions } },
  },
})

export const backend = (version: string, name: string, spec: Json, metadata: Json = {}): Json => ({
  apiVersion: `stable.example.com/${version}`,
  kind: 'Backend',
  metadata: { name, ...metadata },
  spec,
})

const toV2 = ({ hostPort, ...spec }: Json): Json => {
  if (hostPort === undefined) return spec
  const [host, port] = hostPort.split(':')
  return { ...spec, host, port: Number(port) }
}

const toV1 = ({ host, port, ...spec }: Json): Json =>
  host === undefined && port === undefined ? spec : { ...spec, hostPort: `${host ?? ''}:${port ?? 0}` }

export const convert = (object: Json, desired: string): Json => ({
  ...object,
  apiVersion: desired,
  ...(object.spec ? { spec: desired.endsWith('/v2') ? toV2(object.spec) : toV1(object.spec) } : {}),
})

/** What an honest webhook answers. */
export const converted = ({ objects, desiredAPIVersion }: Review): Record<string, unknown> => ({
  result: { status: 'Success' },
  convertedObjects: objects.map((object: Json) => convert(object, desiredAPIVersion)),
})

export const until = async <T>(look: () => Promise<T | undefined | false>): Promise<T> => {
  const end = performance.now() + 60_000
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > end) throw new Error('it did not come to pass')
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** The definition, established. */
export const define = async (t: ExecutionContext, server: RunningApiserver, body: Json): Promise<Json> => {
  const { code, text, headers } = await server.fetch(DEFINITIONS, { method: 'POST', body })
  t.is(code, 201, text)
  t.is(headers.warning, undefined)
  return until(async () => {
    const { json } = await server.fetch(`${DEFINITIONS}/${body.metadata.name}`)
    return json.status?.conditions?.some((each: Json) => each.type === 'Established' && each.status === 'True') && json
  })
}

/** Serves both versions; `answer` takes the place of the honest one. */
export const serveBackends = async (
  t: ExecutionContext,
  server: RunningApiserver,
  answer: (request: Review) => Answer | Promise<Answer> = converted,
): Promise<WebhookServer> => {
  const webhook = await startWebhookServer(t, answer)
  await define(t, server, backends(webhook.config('/convert')))
  return webhook
}
