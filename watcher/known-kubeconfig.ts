/**
 * Kubeconfigs that an earlier start has read: which server they lead to is remembered in a folder, so that what is known of
 * that server can be answered before the YAML reader is loaded. The rest is read when the server is first gone to.
 *
 * Promised: only texts that this very version has found right before are taken at their word; what is wrong with others is
 * said at once. Nothing that may be secret is written, and no credentials go to a server that the kubeconfig does not name,
 * whatever stands in the folder.
 */
import assert from 'node:assert'
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { SeamarkError } from '#lib/errors.ts'
import type { ClusterAccess } from './access.ts'
import { readKubeconfigText } from './kubeconfig/file.ts'
import { accessOf, type KubeconfigOptions } from './kubeconfig.ts'

export interface KnownKubeconfigOptions extends KubeconfigOptions {
  readonly folder: string
  /** Another version of the program may find other things wrong. */
  readonly version: string
}

/** What is remembered of the file of one directive. */
interface Known {
  /** Of all that the reading depends on. */
  readonly digest: string
  readonly server: string
  readonly namespace: string
}

/** The way in by a kubeconfig. Rejects with SeamarkError BAD_KUBECONFIG, as `loadKubeconfig` does. */
export const loadKnownKubeconfig = async (options: KnownKubeconfigOptions): Promise<ClusterAccess> => {
  const { context = '', folder, version } = options
  const text = await readKubeconfigText(options.file)
  const place = join(folder, `kubeconfig-${digestOf([text.file, context]).slice(0, 16)}.json`)
  const digest = digestOf([version, context, text.file, text.text])
  const known = await recall(place, digest)
  if (known) {
    return accessThrough(known, async () => {
      const access = await accessOf(text, options)
      if (access.server.href !== known.server.href) await disown(place, known, access)
      return access
    })
  }
  const access = await accessOf(text, options)
  await remember(place, { digest, server: access.server.href, namespace: access.namespace })
  return access
}

const digestOf = (parts: unknown): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

type Recalled = Pick<ClusterAccess, 'server' | 'namespace'>

/** Undefined: nothing is known of these texts. Never rejects: what cannot be read is found out anew. */
const recall = async (place: string, digest: string): Promise<Recalled | undefined> => {
  try {
    const known: Partial<Known> = JSON.parse(await readFile(place, 'utf8'))
    const server = URL.parse(known.server ?? '')
    if (known.digest !== digest || !server || typeof known.namespace !== 'string') return undefined
    return { server, namespace: known.namespace }
  } catch {
    return undefined
  }
}

/** Never rejects: the next start takes longer, that is all. */
const remember = async (place: string, known: Known): Promise<void> => {
  const temporary = `${place}.${process.pid}.tmp`
  try {
    await mkdir(resolve(place, '..'), { recursive: true, mode: 0o700 })
    await writeFile(temporary, JSON.stringify(known), { mode: 0o600 })
    await rename(temporary, place)
  } catch {}
}

/** Somebody else has written it. What was begun with the wrong server cannot go on; the next start finds the right one. */
const disown = async (place: string, known: Recalled, { server }: Recalled): Promise<never> => {
  await rm(place, { force: true }).catch(() => {})
  const what = `it says ${known.server.href}, the kubeconfig ${server.href}: start again, and look who may write there`
  throw new SeamarkError('BAD_KUBECONFIG', `${place}: ${what}`)
}

const accessThrough = ({ server, namespace }: Recalled, read: () => Promise<ClusterAccess>): ClusterAccess => {
  let reading: Promise<ClusterAccess> | undefined
  let found: ClusterAccess | undefined
  const whole = async (): Promise<ClusterAccess> => {
    if (found) return found
    reading ??= read()
      .then(access => (found = access))
      .finally(() => (reading = undefined))
    return reading
  }
  const sure = (): ClusterAccess => {
    assert(found, 'the authority or the credentials are asked for first')
    return found
  }
  return {
    server,
    namespace,
    authority: async () => (await whole()).authority(),
    get insecure() {
      return sure().insecure
    },
    get serverName() {
      return sure().serverName
    },
    credentials: {
      headers: async () => (await whole()).credentials.headers(),
      keyPair: async () => (await whole()).credentials.keyPair(),
      refused: () => found?.credentials.refused() ?? false,
    },
  }
}
