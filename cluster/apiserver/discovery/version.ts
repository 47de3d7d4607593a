/** `/version`: the Kubernetes API that is served, for clients that choose their ways by it. */

/** The minor version of the API in types.json; kubectl takes one minor more or less. */
const KUBERNETES = { major: '1', minor: '35', patch: '0' } as const

export const versionDocument = (): unknown => ({
  major: KUBERNETES.major,
  minor: KUBERNETES.minor,
  emulationMajor: KUBERNETES.major,
  emulationMinor: KUBERNETES.minor,
  minCompatibilityMajor: KUBERNETES.major,
  minCompatibilityMinor: String(Number(KUBERNETES.minor) - 1),
  gitVersion: `v${KUBERNETES.major}.${KUBERNETES.minor}.${KUBERNETES.patch}+seamark`,
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
})
