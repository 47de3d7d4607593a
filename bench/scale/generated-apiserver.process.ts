/**
 * As much of an apiserver as a watcher asks for, over plain HTTP on loopback: lists, streaming lists (KEP-3157) and watches
 * of generated objects. Run as a process of its own, so that what it costs is not counted. Prints its port, then obeys the
 * lines of its input: `relist` makes all clients list anew, `churn N` changes N EndpointSlices a second from then on, and
 * each `churn` prints how many changes it has sent by then.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import {
  type ClusterSize,
  endpointSlice,
  type GeneratedResource,
  generatedResources,
  LARGE,
} from './generated-objects.ts'

/** Milliseconds between changes of many slices. */
const CHURN_INTERVAL = 10
const SLICES = '/apis/discovery.k8s.io/v1/endpointslices'

const [sizeText] = process.argv.slice(2)
const size: ClusterSize = { ...LARGE, ...JSON.parse(sizeText ?? '{}') }
/** Path → its open watches. */
const watches = new Map<string, Set<ServerResponse>>(generatedResources.map(({ path }) => [path, new Set()]))
/** Paths whose next watch from a revision is told that it is forgotten. */
const expired = new Set<string>()
let revision = 1_000_000

const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`

const GONE = event('ERROR', { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' })

const drained = (response: ServerResponse): Promise<void> => new Promise(resolve => response.once('drain', resolve))

const streamList = async (
  response: ServerResponse,
  { apiVersion, kind, objects }: GeneratedResource,
): Promise<void> => {
  for (const object of objects(size))
    if (!response.write(event('ADDED', { apiVersion, kind, ...object }))) await drained(response)
  const annotations = { 'k8s.io/initial-events-end': 'true' }
  response.write(event('BOOKMARK', { apiVersion, kind, metadata: { resourceVersion: String(revision), annotations } }))
}

const list = async (response: ServerResponse, { apiVersion, kind, objects }: GeneratedResource): Promise<void> => {
  const metadata = JSON.stringify({ resourceVersion: String(revision) })
  response.write(`{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":${metadata},"items":[`)
  let comma = ''
  for (const object of objects(size)) {
    if (!response.write(comma + JSON.stringify(object))) await drained(response)
    comma = ','
  }
  response.end(']}')
}

const watch = (response: ServerResponse, resource: GeneratedResource, parameters: URLSearchParams): void => {
  const open = watches.get(resource.path)!
  open.add(response)
  const seconds = Number(parameters.get('timeoutSeconds') ?? '60')
  const end = setTimeout(() => response.end(), seconds * 1000)
  response.on('close', () => {
    clearTimeout(end)
    open.delete(response)
  })
  if (parameters.get('sendInitialEvents') === 'true') void streamList(response, resource)
  else if (expired.delete(resource.path)) response.end(GONE)
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const resource = generatedResources.find(({ path }) => path === pathname)
  response.writeHead(resource ? 200 : 404, { 'content-type': 'application/json' })
  if (!resource) {
    response.end('{"kind":"Status","status":"Failure","code":404,"reason":"NotFound"}')
  } else if (searchParams.get('watch') === 'true') {
    response.flushHeaders()
    watch(response, resource, searchParams)
  } else void list(response, resource)
})

const relist = (): void => {
  for (const [path, open] of watches) {
    expired.add(path)
    for (const response of open) response.end()
  }
}

let changes = 0

/** One endpoint of a slice after the other stops being ready, and is ready again when the slice's turn comes again. */
const change = (): void => {
  const turn = Math.floor(changes / size.services)
  const slice = endpointSlice(changes % size.services, size, turn % 2 === 0 ? 0 : undefined)
  const metadata = { ...(slice.metadata as object), resourceVersion: String(++revision) }
  const text = event('MODIFIED', { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', ...slice, metadata })
  for (const response of watches.get(SLICES)!) response.write(text)
  changes++
}

let churning: NodeJS.Timeout | undefined

const churn = (rate: number): void => {
  clearInterval(churning)
  const began = performance.now()
  const before = changes
  const catchUp = (): void => {
    const due = before + ((performance.now() - began) / 1000) * rate
    while (changes < due) change()
  }
  if (rate > 0) churning = setInterval(catchUp, CHURN_INTERVAL)
  process.stdout.write(`${changes}\n`)
}

createInterface({ input: process.stdin })
  .on('line', line => {
    const [command, amount] = line.split(' ')
    if (command === 'churn') churn(Number(amount))
    else relist()
  })
  .on('close', () => process.exit())

server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
