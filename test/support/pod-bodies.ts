/** Bodies of Pods, as clients send them. */

export type Spec = Record<string, unknown>

export const pod = (spec: Spec) => ({ metadata: { name: 'p', namespace: 'n' }, spec })
export const main = (rest: object = {}) => ({ name: 'c', image: 'i:1', ...rest })
/** With one container, of which `rest` is said besides. */
export const one = (rest: object = {}, spec: Spec = {}) => pod({ containers: [main(rest)], ...spec })
