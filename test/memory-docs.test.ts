/** Holds docs/memory.md to the code: each bound that it names is the one that is kept. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { memoBudget } from '#server/memo-budget.ts'
import { serverOptions } from '#server/options.ts'
import { projectRoot } from './support/cluster.ts'
import { configure, testWorld } from './support/dns-environment.ts'

const MEBIBYTE = 1024 * 1024
const page = readFileSync(join(projectRoot, 'docs/memory.md'), 'utf8')

/** The cells of the row that begins with these words. */
const row = (what: string): readonly string[] => {
  const line = page.split('\n').find(text => text.startsWith(`| ${what}`)) ?? ''
  return line.split('|').map(cell => cell.trim())
}

/** Bytes that the cache may take. */
const cacheMemory = (corefile: string, memoryLimit?: number): unknown =>
  configure(`. {\n ${corefile}\n}`, testWorld({ memoryLimit }))
    .plugins.find(({ name }) => name === 'cache')
    ?.statistics?.().memory

test('the cache: its default, and its share of a container', t => {
  const [, , standard = '', share = ''] = row('answers of other servers')
  const [, part] = /1\/(\d+)/.exec(share) ?? []
  t.is(Math.round(Number(cacheMemory('cache')) / MEBIBYTE), Number.parseInt(standard, 10))
  t.is(cacheMemory('cache', 80 * MEBIBYTE), (80 * MEBIBYTE) / Number(part))
  t.is(cacheMemory('cache', 1 << 30), cacheMemory('cache'))
  // Who writes a number has it.
  t.is(cacheMemory('cache {\n memory 64M\n }', 80 * MEBIBYTE), 64 * MEBIBYTE)
})

test('finished replies: their default, and their share of a container', t => {
  const [, , standard = '', share = ''] = row('finished replies')
  const [, part] = /1\/(\d+)/.exec(share) ?? []
  t.is(serverOptions.memo.default, Number.parseInt(standard, 10) * MEBIBYTE)
  const { main, worker } = memoBudget(serverOptions.memo.default, 2, 80 * MEBIBYTE)
  t.is(Math.round((main + 2 * worker) / MEBIBYTE), 80 / Number(part))
})

test('queries on their way', t => {
  t.is(row('queries on their way')[2], serverOptions.maxInFlight.default.toLocaleString('en-US'))
})
