/** `HOST:PORT` as people write it: `127.0.0.1:1053`, `[::1]:53`, `:9153` (every address), `localhost:0` (any port). */
import { accepted, type Result, refused } from './result.ts'

export interface SocketAddress {
  /** An IP address or a host name; `''` means every address of this machine. */
  readonly host: string
  /** 0–65535; 0 asks the system for a free one. */
  readonly port: number
}

export const parseAddress = (text: string): Result<SocketAddress, string> => {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  if (!match) return refused(`"${text}" is not HOST:PORT (like 127.0.0.1:1053, [::1]:1053 or :1053)`)
  const port = Number(match[3])
  if (port > 65_535) return refused(`"${text}": port ${port} is above 65535`)
  return accepted({ host: match[1] ?? match[2] ?? '', port })
}

export const formatAddress = ({ host, port }: SocketAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
