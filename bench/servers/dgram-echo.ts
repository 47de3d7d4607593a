import { fileURLToPath } from 'node:url'
import type { Contender } from '../contender.ts'

const path = (file: string): string => fileURLToPath(new URL(`../../${file}`, import.meta.url))

/** The floor under every DNS server by node:dgram: each packet is sent back, with QR. */
export const dgramEcho: Contender = {
  name: 'node:dgram echo',
  lacks: ['answers', 'forwards', 'tcp', 'tls', 'https'],
  prepare({ address, port }) {
    const args = ['--max-semi-space-size=4', path('bench/load/dgram-echo.process.ts'), address, String(port)]
    return { command: path('bin/pinned-node'), args }
  },
}
