import { compile } from '../compile.ts'
import type { Contender } from '../contender.ts'

/** The system's calls and nothing else: what no server can go below. */
export const floor: Contender = {
  name: 'floor (C)',
  lacks: ['answers', 'forwards', 'tcp', 'tls', 'https'],
  prepare({ address, port }) {
    const built = compile('floor.c')
    return built.ok ? { command: built.value, args: [address, String(port)] } : built.problem
  },
}
