/** CoreDNS's flags as Go's flag package writes them: one dash. They become two before the CLI library sees them. */
const COREDNS_FLAGS = ['conf', 'dns.port', 'p', 'pidfile', 'plugins', 'quiet', 'version'] as const

const pattern = new RegExp(`^-(${COREDNS_FLAGS.map(flag => flag.replace('.', '\\.')).join('|')})(=.*)?$`)

/** `seamark dns -conf F -dns.port=1053` → `seamark dns --conf F --dns.port=1053`. What stands after `--` is left alone. */
export const twoDashes = (argv: readonly string[]): string[] => {
  if (argv[2] !== 'dns' && argv[2] !== 'check') return [...argv]
  const end = argv.indexOf('--')
  return argv.map((word, index) => (end !== -1 && index >= end ? word : word.replace(pattern, '--$1$2')))
}
