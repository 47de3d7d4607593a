/**
 * node:tls and node:https for when TLS is first spoken. Loading either starts a thread in which Node reads all of its root
 * certificates, wanted or not: 14 ms of the processor beside a start (docs/decisions/0019-start.md).
 */
export const tls = () => process.getBuiltinModule('node:tls')
export const https = () => process.getBuiltinModule('node:https')
