/** The cache plugin alone, on a virtual clock, before an upstream that the test makes up. */

import type { Next } from '#resolver/next.ts'
import type { Plugin } from '#resolver/plugin.ts'
import { type Answer, answered, emptyAnswer } from '#resolver/verdict.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { type Ask, configure, makeQuery, type TestWorld, testWorld } from './dns-environment.ts'
import { aRecord, soaRecord } from './upstream.ts'

/** A cache before an upstream whose answer the test can change, and which counts what it is asked. */
export class CacheBench {
  readonly world: TestWorld = testWorld()
  readonly cache: Plugin
  asked = 0
  by = 'forward'
  reply: Partial<Answer> | 'hang' = {}
  /** Whether the upstream takes its time, so that questions meet. */
  waits = false

  constructor(directive: string, reply: CacheBench['reply'] = {}) {
    this.cache = configure(`. {\n ${directive}\n}`, this.world).plugins[0]!
    this.reply = reply
  }

  readonly next: Next = () => {
    this.asked++
    if (this.reply === 'hang') return new Promise(() => {})
    const verdict = answered(this.by, emptyAnswer(rcodes.NOERROR, this.reply))
    return this.waits ? Promise.resolve(verdict) : verdict
  }

  async ask(name = 'www.example.org.', question: Ask = {}): Promise<Answer> {
    const verdict = await this.cache.handle!(makeQuery(name, question), this.next)
    if (verdict.verdict !== 'answered') throw new Error(verdict.verdict)
    return verdict.answer
  }

  async ttls(name?: string): Promise<number[]> {
    const { answers, authority } = await this.ask(name)
    return [...answers, ...authority].map(({ ttl }) => ttl)
  }

  seconds(count: number): Promise<void> {
    return this.world.clock.advance(count * 1000)
  }
}

export const found = (ttl: number, name = 'www.example.org.') => ({ answers: [aRecord(name, ttl, '192.0.2.1')] })
export const absent = (ttl: number, minimum: number) => ({
  rcode: rcodes.NXDOMAIN,
  authority: [soaRecord('example.org.', ttl, minimum)],
})

export const failed = { rcode: rcodes.SERVFAIL }
