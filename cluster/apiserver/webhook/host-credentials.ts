/**
 * Who this apiserver is to admission webhooks, by their host (kubernetes.io, "Authenticate API servers"): the names of the
 * users of a kubeconfig are hosts, `*.HOST` for all below one, `*` for all.
 */
import { type Credentials, Kubeconfig } from './kubeconfig.ts'

/** What may stand for a host, the nearest first. */
const namesOf = (host: string): readonly string[] => {
  const [, ...steps] = host.split('.')
  return [host, ...steps.map((_, index) => `*.${steps.slice(index).join('.')}`)]
}

/** HTTPS's own port need not be written. */
const withoutDefaultPort = (target: string): readonly string[] => {
  const [, bracketed, plain] = /^(?:\[(.*)\]|(.*)):443$/.exec(target) ?? []
  const host = bracketed ?? plain
  return host === undefined ? [] : namesOf(host)
}

export class HostCredentials {
  readonly #byName: ReadonlyMap<string, Credentials>
  /** For who has no name in the file. */
  readonly #otherwise: Credentials | undefined

  /** `path`: of the kubeconfig. @throws Error for whatever is wrong with it */
  constructor(path: string) {
    const file = new Kubeconfig(path)
    this.#byName = new Map([...file.users.keys()].map(name => [name, file.credentials(name)!]))
    this.#otherwise = this.#byName.get(file.user ?? '')
  }

  /** `target`: HOST:PORT of a URL, NAME.NAMESPACE.svc:PORT of a Service. Undefined: nobody. */
  for(target: string): Credentials | undefined {
    const names = [...namesOf(target), ...withoutDefaultPort(target), '*']
    for (const name of names) {
      const known = this.#byName.get(name)
      if (known) return known
    }
    return this.#otherwise
  }
}
