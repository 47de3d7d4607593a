/**
 * The ConfigMap by which extension servers learn whom to believe: clients of the cluster's CA, and the apiserver, who
 * says in headers whose request it passes on.
 */
import type { ApiObject } from '#cluster/api/object.ts'
import { FRONT_PROXY_CLIENT, type FrontProxy } from '#cluster/pki/front-proxy.ts'

const list = (...values: readonly string[]): string => JSON.stringify(values)

/** `authority`: PEM of the CA of clients. */
export const extensionAuthentication = (authority: string, frontProxy: FrontProxy): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'kube-system', name: 'extension-apiserver-authentication' },
  data: {
    'client-ca-file': authority,
    'requestheader-allowed-names': list(FRONT_PROXY_CLIENT),
    'requestheader-client-ca-file': frontProxy.authority,
    'requestheader-extra-headers-prefix': list('X-Remote-Extra-'),
    'requestheader-group-headers': list('X-Remote-Group'),
    'requestheader-uid-headers': list('X-Remote-Uid'),
    'requestheader-username-headers': list('X-Remote-User'),
  },
})
