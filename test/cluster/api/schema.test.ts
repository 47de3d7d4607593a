import test from 'ava'
import { enumValues, typeSchema } from '#cluster/api/schema.ts'

test('inline fields stand where the type has them', t => {
  const names = typeSchema('core/v1.Probe').fields.map(({ name }) => name)
  t.deepEqual(names.slice(0, 6), ['exec', 'httpGet', 'tcpSocket', 'grpc', 'initialDelaySeconds', 'timeoutSeconds'])
})

test('another name for a type means that type', t => {
  const field = typeSchema('core/v1.ResourceRequirements').byName.get('limits')
  t.deepEqual(field?.shape, { form: 'map', item: { form: 'scalar', scalar: 'quantity' } })
})

test('lists, keys and patch rules are parsed', t => {
  const ports = typeSchema('core/v1.ServiceSpec').byName.get('ports')
  t.like(ports, {
    shape: { form: 'list', item: { form: 'struct', type: 'core/v1.ServicePort' } },
    listType: 'map',
    listKeys: ['port', 'protocol'],
    patchStrategies: ['merge'],
    patchMergeKey: 'port',
    required: false,
    omit: 'empty',
    pointer: false,
  })
  t.deepEqual(typeSchema('core/v1.PodSpec').byName.get('volumes')?.patchStrategies, ['merge', 'retainKeys'])
  t.is(typeSchema('core/v1.ServicePort').byName.get('protocol')?.default, 'TCP')
})

test('roots, structs and enums', t => {
  t.true(typeSchema('core/v1.Service').root)
  t.false(typeSchema('core/v1.ServiceSpec').root)
  t.is(typeSchema('core/v1.ObjectReference').structType, 'atomic')
  t.deepEqual([...enumValues('core/v1.Protocol')].sort(), ['SCTP', 'TCP', 'UDP'])
})

test('a type that does not exist is a bug', t => {
  t.throws(() => typeSchema('core/v1.Nothing'), { message: /has no type/ })
})
