/** Looks at what the kernel gave of the receive buffer that was asked for, and tells where it is less. */
import { platform } from 'node:os'
import type { Logger } from '#lib/log.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { ServerOptions } from '../options.ts'

const SMALLER =
  'the kernel gave a smaller UDP receive buffer: queries of a burst may be lost (sysctl net.core.rmem_max raises the limit)'

/** `told`: bytes, as the system says (SO_RCVBUF). Logged once as long as it is the same. */
export const checkReceiveBuffer = (
  {
    logger,
    metrics,
    options,
  }: { readonly logger: Logger; readonly metrics: ServerMetrics; readonly options: ServerOptions },
  told: number,
): void => {
  // socket(7): Linux says twice what was given, half of it for its own bookkeeping.
  const given = platform() === 'linux' ? told / 2 : told
  const wanted = options.udpReceiveBuffer
  const isNews = metrics.tellReceiveBuffer(given)
  if (given < wanted && isNews) logger.info({ wanted, given }, SMALLER)
}
