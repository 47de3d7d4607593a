/**
 * The annotation in which kubectl's client-side apply keeps what it applied last. It lets the same person go over to
 * server-side apply without conflicts, and is kept true for one who goes back. Both for the manager `kubectl` alone, which
 * is kubectl's default: other managers opt out.
 */
import { isObject, setOwn } from '#cluster/api/own-property.ts'
import { checkConfiguration } from './check-configuration.ts'
import { compare } from './compare.ts'
import { difference, type FieldSet } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { structRule } from './merge-rule.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Bytes of all annotations together, as validation bounds them. */
const MAX_ANNOTATIONS = 256 * 1024

const annotationsOf = (value: unknown): Record<string, unknown> | undefined => {
  const metadata = isObject(value) ? value.metadata : undefined
  const annotations = isObject(metadata) ? metadata.annotations : undefined
  return isObject(annotations) ? annotations : undefined
}

const annotationOf = (value: unknown): string | undefined => {
  const text = annotationsOf(value)?.[LAST_APPLIED]
  return typeof text === 'string' && text !== '' ? text : undefined
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What client-side apply set and nobody has changed since. Undefined: client-side apply was not used. */
export const fieldsOfLastApplied = (current: unknown, apiVersion: string, type: string): FieldSet | undefined => {
  const text = annotationOf(current)
  const last = text === undefined ? undefined : parse(text)
  if (!isObject(last) || last.apiVersion !== apiVersion || checkConfiguration(last, type) !== undefined)
    return undefined
  const rule = structRule(type)
  const { added, modified, removed } = compare(last, current, rule)
  return [modified, added, removed].reduce(difference, fieldsOf(last, rule))
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value).sort()) setOwn(result, key, sorted(value[key]))
  return result
}

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

/** As kubectl writes it: keys sorted, what HTML minds escaped, a line end. */
const textOf = (configuration: Record<string, unknown>): string => {
  const annotations = annotationsOf(configuration)
  let bare: Record<string, unknown> = configuration
  if (annotations && LAST_APPLIED in annotations) {
    const { [LAST_APPLIED]: _last, ...others } = annotations
    bare = { ...configuration, metadata: { ...(configuration.metadata as object), annotations: others } }
  }
  return `${JSON.stringify(sorted(bare)).replace(/[<>&\u2028\u2029]/g, sign => ESCAPES[sign] ?? sign)}\n`
}

const sizeOf = (annotations: Readonly<Record<string, unknown>>): number =>
  Object.entries(annotations).reduce(
    (bytes, [key, value]) => bytes + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  )

/** `value` with the annotation renewed where it has one; without it where it would be too large. */
export const withLastApplied = (value: unknown, configuration: Record<string, unknown>): unknown => {
  if (!isObject(value) || annotationOf(value) === undefined) return value
  const { [LAST_APPLIED]: _old, ...others } = annotationsOf(value) ?? {}
  const renewed = { ...others, [LAST_APPLIED]: textOf(configuration) }
  const annotations = sizeOf(renewed) > MAX_ANNOTATIONS ? others : renewed
  return { ...value, metadata: { ...(value.metadata as object), annotations } }
}
