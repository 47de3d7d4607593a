/** The component schema of a custom resource: its author's, with what every resource has. */
import type { SchemaProps } from '../custom/schema.ts'
import type { Kind } from '../kind.ts'
import { isObject } from '../own-property.ts'
import { API_VERSION_DESCRIPTION, KIND_DESCRIPTION } from './descriptions.ts'
import { type JsonSchema, reference, type SchemaCollector } from './schemas.ts'

const metaProperties = (collector: SchemaCollector): Record<string, JsonSchema> => ({
  apiVersion: { type: 'string', description: API_VERSION_DESCRIPTION },
  kind: { type: 'string', description: KIND_DESCRIPTION },
  metadata: { allOf: [reference(collector.add('meta/v1.ObjectMeta'))] },
})

/** An embedded resource has metadata of its own. */
const convert = (props: SchemaProps, collector: SchemaCollector, isResource: boolean): JsonSchema => {
  const schema: JsonSchema = { ...props }
  const inner = (value: SchemaProps) => convert(value, collector, value['x-kubernetes-embedded-resource'] === true)
  if (isObject(props.items)) schema.items = inner(props.items as SchemaProps)
  if (isObject(props.additionalProperties))
    schema.additionalProperties = inner(props.additionalProperties as SchemaProps)
  if (props.properties || isResource) {
    const own = Object.entries(props.properties ?? {}).map(([name, value]) => [name, inner(value)])
    schema.properties = { ...Object.fromEntries(own), ...(isResource ? metaProperties(collector) : {}) }
  }
  if (props['x-kubernetes-int-or-string']) delete schema.type
  return schema
}

export const customSchema = ({ schema = {} }: Kind, collector: SchemaCollector): JsonSchema => ({
  ...convert(schema, collector, true),
  type: 'object',
})
