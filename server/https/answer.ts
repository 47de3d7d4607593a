/** A reply's bytes as the body of an HTTP response, with how long HTTP's caches may keep it (RFC 8484 §5.1). */
import assert from 'node:assert'
import { lifetimeOf } from '#resolver/cache/lifetime.ts'
import { flags } from '#resolver/wire/header.ts'
import { decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import { rdataToText } from '#resolver/wire/presentation.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { type AnswerForm, JSON_TYPE, MESSAGE_TYPE } from './request.ts'

export interface HttpAnswer {
  readonly contentType: string
  readonly cacheControl: string
  readonly body: Buffer
}

export const httpAnswer = (reply: Buffer, form: AnswerForm): HttpAnswer => {
  const decoded = decodeResponse(reply)
  assert(decoded.ok, 'the resolver’s own reply can be read')
  const message = decoded.value
  return {
    contentType: form === 'json' ? JSON_TYPE : MESSAGE_TYPE,
    cacheControl: `max-age=${freshness(message)}`,
    body: form === 'json' ? Buffer.from(JSON.stringify(jsonOf(message, reply.readUInt16BE(2)))) : reply,
  }
}

const anyTtl = { minimum: 0, maximum: Number.POSITIVE_INFINITY }

/** Seconds. The least TTL; of a negative answer, what its SOA says (RFC 2308 §5); of a failure, none. */
const freshness = (message: ResponseMessage): number => {
  if (!message.question) return 0
  const lifetime = lifetimeOf(message, message.question, { success: anyTtl, denial: anyTtl, denialWithoutSoa: 0 })
  return lifetime.verdict === 'kept' ? lifetime.seconds : 0
}

const jsonRecord = ({ name, type, ttl, data }: ResourceRecord) => ({
  name,
  type,
  TTL: ttl,
  data: rdataToText(type, data),
})

/** Members as Google and Cloudflare have them; sections that are empty are left out. */
const jsonOf = (message: ResponseMessage, bits: number): Readonly<Record<string, unknown>> => {
  const { question, answers, authority, additional, extendedErrors } = message
  return {
    Status: message.rcode,
    TC: message.truncated,
    RD: (bits & flags.recursionDesired) !== 0,
    RA: message.recursionAvailable,
    AD: message.authenticData,
    CD: (bits & flags.checkingDisabled) !== 0,
    Question: question ? [{ name: question.name, type: question.type }] : [],
    ...(answers.length > 0 && { Answer: answers.map(jsonRecord) }),
    ...(authority.length > 0 && { Authority: authority.map(jsonRecord) }),
    ...(additional.length > 0 && { Additional: additional.map(jsonRecord) }),
    ...(extendedErrors && {
      extended_dns_errors: extendedErrors.map(({ code, text }) => ({ info_code: code, extra_text: text })),
    }),
  }
}
