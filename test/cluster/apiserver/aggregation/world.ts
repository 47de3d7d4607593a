/** An apiserver, and an extension server that it passes requests on to. */
import type { ExecutionContext } from 'ava'
import { type RunningApiserver, type StartOptions, startApiserver } from '../../../support/apiserver.ts'
import { FAR, startExtension } from '../../../support/extension-server.ts'

export const APISERVICES = '/apis/apiregistration.k8s.io/v1/apiservices'
export const STARS = '/apis/far.example.com/v1/namespaces/default/stars'
export const NAME = 'v1.far.example.com'

export const apiService = (rest: object) => ({
  metadata: { name: NAME },
  spec: {
    ...FAR,
    groupPriorityMinimum: 100,
    versionPriority: 10,
    service: { namespace: 'default', name: 'far' },
    ...rest,
  },
})

/** No EndpointSlice may hold an address of this machine's own: the Service stands for a name. */
const EXTERNAL = { type: 'ExternalName', externalName: 'localhost' }

export const makeService = ({ fetch }: RunningApiserver) =>
  fetch('/api/v1/namespaces/default/services', { method: 'POST', body: { metadata: { name: 'far' }, spec: EXTERNAL } })

export const at = (port: number) => ({ service: { namespace: 'default', name: 'far', port } })

interface Condition {
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** The condition once it has this reason; told by a watch, not by waiting. */
export const becomes = async ({ fetch }: RunningApiserver, reason: string): Promise<Condition> => {
  const deadline = Date.now() + 60_000
  for (;;) {
    const { json } = await fetch(`${APISERVICES}/${NAME}`)
    const condition = json.status?.conditions?.[0] as Condition | undefined
    if (condition?.reason === reason) return condition
    if (Date.now() > deadline) throw new Error(JSON.stringify(json))
    const query = `watch=1&resourceVersion=${json.metadata.resourceVersion}&fieldSelector=metadata.name%3D${NAME}&timeoutSeconds=1`
    await fetch(`${APISERVICES}?${query}`)
  }
}

export const withExtension = async (t: ExecutionContext, options: StartOptions = {}) => {
  const server = await startApiserver(t, options)
  const { data } = (await server.fetch('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'))
    .json
  const extension = await startExtension(data['requestheader-client-ca-file'])
  t.teardown(() => extension.close())
  await makeService(server)
  const created = await server.fetch(APISERVICES, {
    method: 'POST',
    body: apiService({ caBundle: extension.caBundle, ...at(extension.port) }),
  })
  t.is(created.code, 201, created.text)
  await becomes(server, 'Passed')
  return { server, extension }
}
