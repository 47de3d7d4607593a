/** How a client shows who it is. One way, one file in `credentials/`; the kubeconfig's user combines them. */
export interface KeyPair {
  /** PEM, leaf first. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
}

export interface Credentials {
  /** Headers for the next request, lower-case names. Rejects with a SeamarkError that says which file or program failed. */
  headers(): Promise<Readonly<Record<string, string | readonly string[]>>>
  /** What the next TLS handshake presents. */
  keyPair(): Promise<KeyPair | undefined>
  /** The server answered 401: forgets what is cached. Says whether the next headers may differ, so whether to try again. */
  refused(): boolean
}

export const anonymous: Credentials = {
  headers: async () => ({}),
  keyPair: async () => undefined,
  refused: () => false,
}

/** All of them at once: a certificate and a token, say. Of two key pairs the first is presented. */
export const combineCredentials = (members: readonly Credentials[]): Credentials => ({
  async headers() {
    const all = await Promise.all(members.map(member => member.headers()))
    return Object.assign({}, ...all)
  },
  async keyPair() {
    for (const member of members) {
      const pair = await member.keyPair()
      if (pair) return pair
    }
    return undefined
  },
  refused: () => members.map(member => member.refused()).includes(true),
})
