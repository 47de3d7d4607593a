/** What may be wrong with a definition, or just otherwise: each changes a good one in place. */

// biome-ignore lint/suspicious/noExplicitAny: definitions of any shape.
type Json = any

const version = (body: Json): Json => body.spec.versions[0]
const root = (body: Json): Json => version(body).schema.openAPIV3Schema
const spec = (body: Json): Json => root(body).properties.spec
const field = (schema: Json) => (body: Json) => {
  spec(body).properties.probe = schema
}
const rule = (
  value: Json,
  schema: Json = { type: 'object', properties: { a: { type: 'integer' }, s: { type: 'string', maxLength: 5 } } },
) => field({ ...schema, 'x-kubernetes-validations': [value] })
const conversion = (value: Json) => (body: Json) => {
  body.spec.conversion = value
}

export const DEFINITION_CHANGES: Readonly<Record<string, (body: Json) => void>> = {
  good: () => {},
  'another name': body => (body.metadata.name = 'other.example.com'),
  'no group': body => delete body.spec.group,
  'a group without a dot': body => (body.spec.group = 'example'),
  'no scope': body => delete body.spec.scope,
  'another scope': body => (body.spec.scope = 'World'),
  'no kind': body => delete body.spec.names.kind,
  'no plural': body => delete body.spec.names.plural,
  'an upper-case plural': body => (body.spec.names.plural = 'Things'),
  'an odd kind': body => (body.spec.names.kind = 'Thing_'),
  'list kind is kind': body => (body.spec.names.listKind = 'Thing'),
  'an odd short name': body => (body.spec.names.shortNames = ['T']),
  'an odd category': body => (body.spec.names.categories = ['a.b']),
  'no names given but the needed': body => (body.spec.names = { plural: 'things', kind: 'Thing' }),
  'no versions': body => (body.spec.versions = []),
  'no storage version': body => (version(body).storage = false),
  'a version twice': body => body.spec.versions.push({ ...version(body), storage: false }),
  'an odd version': body => (version(body).name = 'V1'),
  'no schema': body => delete version(body).schema,
  'an unknown field': body => (version(body).foo = 1),
  'an unknown field of a schema': body => (spec(body).foo = 1),
  'a root that is no object': body => (root(body).type = 'string'),
  'a root without type': body => delete root(body).type,
  'a nullable root': body => (root(body).nullable = true),
  'additional properties at the root': body => (root(body).additionalProperties = { type: 'string' }),
  'metadata restricted': body =>
    (root(body).properties.metadata = { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } }),
  'labels restricted': body =>
    (root(body).properties.metadata = { type: 'object', properties: { labels: { type: 'object' } } }),
  'a kind of another type': body => (root(body).properties.kind = { type: 'integer' }),
  'preserve unknown fields': body => (body.spec.preserveUnknownFields = true),
  'no type': field({}),
  'an unknown type': field({ type: 'text' }),
  'type null': field({ type: 'null' }),
  'an array without items': field({ type: 'array' }),
  'items without type': field({ type: 'array', items: {} }),
  'items a list': field({ type: 'array', items: [{ type: 'string' }] }),
  'unique items': field({ type: 'array', uniqueItems: true, items: { type: 'string' } }),
  reference: field({ $ref: '#/x', type: 'object' }),
  definitions: field({ type: 'object', definitions: { a: { type: 'string' } } }),
  dependencies: field({ type: 'object', dependencies: { a: ['b'] } }),
  'pattern properties': field({ type: 'object', patternProperties: { a: { type: 'string' } } }),
  'additional items': field({ type: 'array', items: { type: 'string' }, additionalItems: false }),
  id: field({ type: 'string', id: 'x' }),
  'properties and additional properties': field({
    type: 'object',
    properties: { a: { type: 'string' } },
    additionalProperties: { type: 'string' },
  }),
  'preserve false': field({ type: 'object', 'x-kubernetes-preserve-unknown-fields': false }),
  'int or string that preserves': field({
    'x-kubernetes-int-or-string': true,
    'x-kubernetes-preserve-unknown-fields': true,
  }),
  'embedded without properties': field({ type: 'object', 'x-kubernetes-embedded-resource': true }),
  'embedded string': field({
    type: 'string',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  }),
  'map type of a list': field({ type: 'array', 'x-kubernetes-map-type': 'atomic', items: { type: 'string' } }),
  'an unknown map type': field({ type: 'object', 'x-kubernetes-map-type': 'x' }),
  'list type of an object': field({ type: 'object', 'x-kubernetes-list-type': 'set' }),
  'an unknown list type': field({ type: 'array', 'x-kubernetes-list-type': 'x', items: { type: 'string' } }),
  'a set of objects': field({ type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } }),
  'a map without keys': field({ type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object' } }),
  'a map of strings': field({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
    items: { type: 'string' },
  }),
  'a map by no field': field({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['b'],
    items: { type: 'object', properties: { a: { type: 'string' } } },
  }),
  'a map by an optional field': field({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
    items: { type: 'object', properties: { a: { type: 'string' } } },
  }),
  'a map by a nullable field': field({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['a'],
    items: { type: 'object', required: ['a'], properties: { a: { type: 'string', nullable: true } } },
  }),
  'keys without a map': field({ type: 'array', 'x-kubernetes-list-map-keys': ['a'], items: { type: 'string' } }),
  'a bad pattern': field({ type: 'string', pattern: '(' }),
  'a type in anyOf': field({ type: 'string', anyOf: [{ type: 'string' }] }),
  'a field in anyOf alone': field({ type: 'object', anyOf: [{ properties: { x: { minimum: 1 } } }] }),
  'a description in allOf': field({ type: 'string', allOf: [{ description: 'x' }] }),
  'a default in not': field({ type: 'string', not: { default: 'x' } }),
  'a default of another type': field({ type: 'string', default: 5 }),
  'a default that is refused': field({ type: 'string', maxLength: 1, default: 'xx' }),
  'a default with unknown fields': field({ type: 'object', default: { b: 1 }, properties: { a: { type: 'string' } } }),
  'a good default': field({ type: 'object', default: { a: 'x' }, properties: { a: { type: 'string' } } }),
  'a default in metadata': body => (root(body).properties.apiVersion = { type: 'string', default: 'x' }),
  'an unknown format': field({ type: 'string', format: 'odd' }),
  'a good rule': rule({ rule: 'self.a > 0' }),
  'an empty rule': rule({ rule: ' ' }),
  'a rule that does not parse': rule({ rule: 'self.a >' }),
  'an unknown field in a rule': rule({ rule: 'self.b > 0' }),
  'an unknown name in a rule': rule({ rule: 'other > 0' }),
  'an unknown function in a rule': rule({ rule: 'foo(self.a)' }),
  'another type in a rule': rule({ rule: 'self.a > "x"' }),
  'no bool': rule({ rule: 'self.a' }),
  'an empty message': rule({ rule: 'self.a > 0', message: ' ' }),
  'a message of lines': rule({ rule: 'self.a > 0', message: 'a\nb' }),
  'a rule of lines': rule({ rule: 'self.a\n> 0' }),
  'a reason': rule({ rule: 'self.a > 0', reason: 'Odd' }),
  'a field path': rule({ rule: 'self.a > 0', fieldPath: '.b' }),
  'a good field path': rule({ rule: 'self.a > 0', fieldPath: '.a' }),
  'a message expression of another type': rule({ rule: 'self.a > 0', messageExpression: 'self.a' }),
  'an unknown field in a message expression': rule({ rule: 'self.a > 0', messageExpression: 'self.b' }),
  'an optional old self without old self': rule({ rule: 'self.a > 0', optionalOldSelf: true }),
  'an optional old self': rule({ rule: 'oldSelf.hasValue() || self.a > 0', optionalOldSelf: true }),
  'old self in a list': field({
    type: 'array',
    maxItems: 3,
    items: { type: 'string', maxLength: 3, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
  }),
  'a rule in anyOf': field({ type: 'object', anyOf: [{ 'x-kubernetes-validations': [{ rule: 'true' }] }] }),
  'a column without a path': body => delete version(body).additionalPrinterColumns[0].jsonPath,
  'a column of another type': body => (version(body).additionalPrinterColumns[0].type = 'text'),
  'a column of no path': body => (version(body).additionalPrinterColumns[0].jsonPath = 'spec'),
  'a scale outside of spec': body => (version(body).subresources.scale.specReplicasPath = '.status.x'),
  'a scale without status': body => delete version(body).subresources.scale.statusReplicasPath,
  'a selectable list': body => version(body).selectableFields.push({ jsonPath: '.spec.list' }),
  'a selectable name': body => version(body).selectableFields.push({ jsonPath: '.metadata.name' }),
  'no such selectable field': body => version(body).selectableFields.push({ jsonPath: '.spec.none' }),
  'a selectable field twice': body => version(body).selectableFields.push({ jsonPath: '.spec.size' }),
  'a warning of no deprecated version': body => (version(body).deprecationWarning = 'x'),
  deprecated: body => Object.assign(version(body), { deprecated: true, deprecationWarning: 'go on' }),
  'another conversion': conversion({ strategy: 'Odd' }),
  'a webhook without configuration': conversion({ strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'] } }),
  'a webhook by URL': conversion({
    strategy: 'Webhook',
    webhook: { clientConfig: { url: 'https://a.example/x' }, conversionReviewVersions: ['v1'] },
  }),
  'a webhook by http': conversion({
    strategy: 'Webhook',
    webhook: { clientConfig: { url: 'http://a.example/x' }, conversionReviewVersions: ['v1'] },
  }),
  'a webhook by a service': conversion({
    strategy: 'Webhook',
    webhook: { clientConfig: { service: { name: 'a', namespace: 'b' } }, conversionReviewVersions: ['v1'] },
  }),
  'a webhook of another review': conversion({
    strategy: 'Webhook',
    webhook: { clientConfig: { url: 'https://a.example/x' }, conversionReviewVersions: ['v9'] },
  }),
  'no conversion with a webhook': conversion({
    strategy: 'None',
    webhook: { clientConfig: { url: 'https://a.example/x' }, conversionReviewVersions: ['v1'] },
  }),
  'a protected group': body => {
    body.spec.group = 'x.k8s.io'
    body.metadata.name = 'things.x.k8s.io'
  },
}
