import { resolve } from 'node:path'
import { SeamarkError } from '#lib/errors.ts'

/** A value inside a kubeconfig that knows where it stands, so that every complaint names file and field. */
export class Field {
  readonly file: string
  readonly path: string
  readonly value: unknown

  constructor(file: string, path: string, value: unknown) {
    this.file = file
    this.path = path
    this.value = value
  }

  /** `/home/me/.kube/config: clusters[0].cluster.server`. */
  get place(): string {
    return this.path === '' ? this.file : `${this.file}: ${this.path}`
  }

  get present(): boolean {
    return this.value !== undefined && this.value !== null
  }

  problem(what: string, cause?: unknown): SeamarkError {
    return new SeamarkError('BAD_KUBECONFIG', `${this.place}: ${what}`, cause === undefined ? undefined : { cause })
  }

  child(key: string): Field {
    const value = this.present ? (this.#map()[key] ?? undefined) : undefined
    return new Field(this.file, this.path === '' ? key : `${this.path}.${key}`, value)
  }

  /** `''` when absent. A number is what YAML makes of an unquoted token or name. */
  text(): string {
    if (!this.present) return ''
    if (typeof this.value === 'number') return String(this.value)
    if (typeof this.value !== 'string') throw this.problem('must be a text')
    return this.value
  }

  flag(): boolean {
    if (!this.present) return false
    if (typeof this.value !== 'boolean') throw this.problem('must be true or false')
    return this.value
  }

  list(): readonly Field[] {
    if (!this.present) return []
    if (!Array.isArray(this.value)) throw this.problem('must be a list')
    return this.value.map((item, index) => new Field(this.file, `${this.path}[${index}]`, item))
  }

  entries(): readonly (readonly [string, Field])[] {
    return this.present ? Object.keys(this.#map()).map(key => [key, this.child(key)] as const) : []
  }

  /** A path, which starts at the kubeconfig's own folder; `''` when absent. */
  filePath(): string {
    const path = this.text()
    return path === '' ? '' : resolve(this.file, '..', path)
  }

  /** Base64 of PEM; `''` when absent. */
  pem(): string {
    const encoded = this.text().replaceAll(/\s/g, '')
    if (encoded === '') return ''
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw this.problem('must be base64')
    const pem = Buffer.from(encoded, 'base64').toString('utf8')
    if (!pem.includes('-----BEGIN ')) throw this.problem('must be PEM in base64')
    return pem
  }

  #map(): Readonly<Record<string, unknown>> {
    if (typeof this.value !== 'object' || Array.isArray(this.value)) throw this.problem('must be a map')
    return this.value as Readonly<Record<string, unknown>>
  }
}
