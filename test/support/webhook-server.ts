/** A webhook over TLS, of admission or conversion, with an authority of its own; it ends with the test. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ExecutionContext } from 'ava'
import { issueAuthority, issueCertificate, readCertificate } from '#cluster/pki/issue.ts'
import { generateKey } from '#cluster/pki/key.ts'

// biome-ignore lint/suspicious/noExplicitAny: what the apiserver sends is looked into.
export type Review = any

/** The `response` without its uid; a number: answer with that status code; 'hang': never. */
export type Answer = Record<string, unknown> | number | 'hang'

interface Shown {
  readonly path: string
  readonly authorization: string | undefined
  /** CN of the client's certificate. */
  readonly client: string | undefined
}

export interface WebhookServer {
  readonly port: number
  /** `https://127.0.0.1:PORT/PATH` with its authority. */
  config(path?: string): { readonly url: string; readonly caBundle: string }
  /** Base64 of PEM. */
  readonly caBundle: string
  /** The `request` of each review so far, with the path that it came to, and who the apiserver was. */
  readonly requests: (Review & Shown)[]
}

/** Names that its certificate is for, besides 127.0.0.1. */
export const startWebhookServer = async (
  t: ExecutionContext,
  answer: (request: Review, path: string) => Answer | Promise<Answer>,
  names: readonly string[] = [],
): Promise<WebhookServer> => {
  const key = await generateKey()
  const ca = await issueAuthority(key, 'webhook-ca', Date.now())
  const own = await generateKey()
  const subject = { commonName: 'webhook', organizations: [] }
  const certificate = { subject, key: own, purpose: 'server' as const, names: ['127.0.0.1', ...names] }
  const cert = await issueCertificate({ key, certificate: readCertificate(ca)! }, certificate, Date.now())
  const requests: WebhookServer['requests'] = []
  const tls = { cert, key: own.pem, requestCert: true, rejectUnauthorized: false }
  const server = createServer(tls, (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', chunk => chunks.push(chunk))
    incoming.on('end', async () => {
      const review = JSON.parse(Buffer.concat(chunks).toString())
      const path = (incoming.url ?? '').split('?')[0]!
      const { authorization } = incoming.headers
      const client = (incoming.socket as TLSSocket).getPeerCertificate().subject?.CN
      requests.push({ ...review.request, path, authorization, client })
      const response = await answer(review.request, path)
      if (response === 'hang') return
      if (typeof response === 'number') outgoing.writeHead(response).end()
      else {
        const { apiVersion, kind } = review
        outgoing.writeHead(200, { 'content-type': 'application/json' })
        outgoing.end(JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, ...response } }))
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const caBundle = Buffer.from(ca).toString('base64')
  return {
    port,
    caBundle,
    requests,
    config: (path = '/') => ({ url: `https://127.0.0.1:${port}${path}`, caBundle }),
  }
}

/** A JSON patch as a response has it. */
export const patchOf = (...operations: readonly object[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})
