/** The package that reads and writes certificates, loaded when it is first needed: a start does without it. */
import type * as X509 from '@peculiar/x509'

export const loadX509 = async (): Promise<typeof X509> => {
  // The package's dependency injection needs it to be there first.
  await import('reflect-metadata')
  return import('@peculiar/x509')
}
