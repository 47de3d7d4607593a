/**
 * Webhooks that change what is written, one after the other. When one does, all plugins look at it once more, and those
 * webhooks that want to (reinvocationPolicy IfNeeded); never more than twice, so that two that undo each other end.
 */
import { isDeepStrictEqual } from 'node:util'
import { cloneJson } from '#cluster/api/clone.ts'
import { mutatingWebhookConfigurationKind } from '#cluster/api/kinds/mutating-webhook-configuration.ts'
import { internalError } from '#cluster/api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { jsonPatch } from '../patches/json.ts'
import type { ReviewAnswer } from '../review/admission-review.ts'
import { callWebhook, type Invocation, type WebhookEnvironment } from '../review/call-webhook.ts'
import { type JsonObject, writeBack } from '../review/reviewed.ts'
import { type KnownWebhook, Webhooks, type WebhooksEnvironment } from '../review/webhooks.ts'
import { withConversions } from '../storage/convert-object.ts'

export interface MutatingWebhookEnvironment extends WebhookEnvironment, WebhooksEnvironment {}

/** What has happened to one request so far. */
interface Round {
  again: boolean
  /** Asked already, and willing to be asked again. */
  readonly asked: Set<string>
  /** Of those, the ones after which something changed. */
  readonly due: Set<string>
  /** As the last webhook left it. */
  left: unknown
}

const invite = ({ asked, due }: Round): void => {
  for (const id of asked) due.add(id)
  asked.clear()
}

export const createMutatingWebhook = (environment: MutatingWebhookEnvironment): AdmissionPlugin => {
  const webhooks = new Webhooks(environment, mutatingWebhookConfigurationKind, 'admit')
  const rounds = new WeakMap<AdmissionRequest, Round>()

  /** Whether the answer changed the object; a refusal where it cannot. */
  const apply = async (
    request: AdmissionRequest,
    { webhook, version }: Invocation,
    { patch, patchType }: ReviewAnswer,
    shown: JsonObject | null,
  ): Promise<boolean | Refusal> => {
    if (patch === undefined || (Array.isArray(patch) && patch.length === 0)) return false
    const name = JSON.stringify(webhook.name)
    if (shown === null) {
      const text = `admission webhook ${name} attempted to modify the object, which is not supported for this operation`
      return internalError(text)
    }
    if (patchType !== 'JSONPatch')
      return internalError(`failed calling webhook ${name}: unsupported patch type ${JSON.stringify(patchType)}`)
    const patched = jsonPatch.apply(shown, patch, version.type)
    if (!patched.ok) return internalError(`failed calling webhook ${name}: ${patched.problem.message ?? ''}`)
    const computed = await withConversions(() => writeBack(request, version, shown, patched.value))
    if (!computed.ok) return computed.problem
    const written = computed.value
    return written.ok ? written.value : internalError(`failed calling webhook ${name}: ${written.problem}`)
  }

  const ask = async (request: AdmissionRequest, known: KnownWebhook, round: Round): Promise<Refusal> => {
    if (round.again && !round.due.has(known.id)) return undefined
    const invocation = await webhooks.invocation(known, request)
    if (!invocation || !('webhook' in invocation)) return invocation
    const outcome = await callWebhook(environment, request, invocation, 'admit')
    if (outcome.outcome === 'refused') return outcome.status
    const changed = outcome.outcome === 'allowed' && (await apply(request, invocation, outcome.answer, outcome.shown))
    if (typeof changed === 'object') return changed
    if (changed) {
      request.kind.applyDefaults?.(request.object)
      invite(round)
      rounds.set(request, round)
    }
    if (known.webhook.reinvocationPolicy === 'IfNeeded') round.asked.add(known.id)
    return undefined
  }

  const askAll = async (request: AdmissionRequest, all: readonly KnownWebhook[]): Promise<Refusal> => {
    const before = rounds.get(request)
    const round = before ?? { again: false, asked: new Set(), due: new Set(), left: undefined }
    if (before && !isDeepStrictEqual(before.left, request.object)) invite(round)
    for (const known of all) {
      const refusal = await ask(request, known, round)
      if (refusal) return refusal
    }
    round.left = cloneJson(request.object)
    return undefined
  }

  return {
    name: 'MutatingAdmissionWebhook',
    admit(request) {
      const all = webhooks.for(request)
      return all.length === 0 ? undefined : askAll(request, all)
    },
    wantsAgain(request) {
      const round = rounds.get(request)
      if (!round || round.again) return false
      round.again = true
      return true
    },
  }
}
