import type { FuzzTarget } from './target.ts'
import { answersTarget } from './targets/answers.ts'
import { corefileTarget } from './targets/corefile.ts'
import { expressionTarget } from './targets/expression.ts'
import { httpsTarget } from './targets/https.ts'
import { kubeconfigTarget } from './targets/kubeconfig.ts'
import { messageTarget } from './targets/message.ts'
import { responderTarget } from './targets/responder.ts'
import { snapshotTarget } from './targets/snapshot.ts'
import { streamTarget } from './targets/stream.ts'
import { templateTarget } from './targets/template.ts'
import { upstreamTarget } from './targets/upstream.ts'
import { zonefileTarget } from './targets/zonefile.ts'

export const targets: readonly FuzzTarget[] = [
  messageTarget,
  responderTarget,
  answersTarget,
  streamTarget,
  upstreamTarget,
  httpsTarget,
  corefileTarget,
  zonefileTarget,
  kubeconfigTarget,
  snapshotTarget,
  templateTarget,
  expressionTarget,
]
