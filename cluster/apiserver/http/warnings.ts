/** Warnings for clients (RFC 7234 §5.5, as Kubernetes uses it): one header each. */
export const warningHeaders = (warnings: Iterable<string>): Record<string, string[]> => {
  const warning = [...warnings].map(text => `299 - ${JSON.stringify(text)}`)
  return warning.length > 0 ? { warning } : {}
}
