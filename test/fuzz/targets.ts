import type { FuzzTarget } from './target.ts'
import { corefileTarget } from './targets/corefile.ts'
import { httpsTarget } from './targets/https.ts'
import { messageTarget } from './targets/message.ts'
import { responderTarget } from './targets/responder.ts'
import { streamTarget } from './targets/stream.ts'
import { upstreamTarget } from './targets/upstream.ts'

export const targets: readonly FuzzTarget[] = [
  messageTarget,
  responderTarget,
  streamTarget,
  upstreamTarget,
  httpsTarget,
  corefileTarget,
]
