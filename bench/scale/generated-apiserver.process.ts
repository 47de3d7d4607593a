/**
 * As much of an apiserver as a watcher asks for, over plain HTTP on loopback: streaming lists (KEP-3157) and watches of
 * generated objects. Run as a process of its own, so that what it costs is not counted: prints its port, then makes all
 * clients list anew for each line of its input.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { type ClusterSize, type GeneratedResource, generatedResources, LARGE } from './generated-objects.ts'

const REVISION = '1000000'

const [sizeText] = process.argv.slice(2)
const size: ClusterSize = { ...LARGE, ...JSON.parse(sizeText ?? '{}') }
const watches = new Set<ServerResponse>()
/** Paths whose next watch from a revision is told that it is forgotten. */
const expired = new Set<string>()

const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`

const GONE = event('ERROR', { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' })

const list = async (response: ServerResponse, { apiVersion, kind, objects }: GeneratedResource): Promise<void> => {
  for (const object of objects(size)) {
    const more = response.write(event('ADDED', { apiVersion, kind, ...object }))
    if (!more) await new Promise<void>(resolve => response.once('drain', resolve))
  }
  const metadata = { resourceVersion: REVISION, annotations: { 'k8s.io/initial-events-end': 'true' } }
  response.write(event('BOOKMARK', { apiVersion, kind, metadata }))
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const resource = generatedResources.find(({ path }) => path === url.pathname)
  if (!resource || url.searchParams.get('watch') !== 'true') {
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end('{"kind":"Status","status":"Failure","code":404,"reason":"NotFound"}')
    return
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.flushHeaders()
  watches.add(response)
  const seconds = Number(url.searchParams.get('timeoutSeconds') ?? '60')
  const end = setTimeout(() => response.end(), seconds * 1000)
  response.on('close', () => {
    clearTimeout(end)
    watches.delete(response)
  })
  if (url.searchParams.get('sendInitialEvents') === 'true') void list(response, resource)
  else if (expired.delete(resource.path)) response.end(GONE)
})

createInterface({ input: process.stdin })
  .on('line', () => {
    for (const { path } of generatedResources) expired.add(path)
    for (const watch of watches) watch.end()
  })
  .on('close', () => process.exit())

server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
