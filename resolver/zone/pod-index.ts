/** Whose address is it: live pods by address, for `pods verified`. */
import type { PodView } from '#watcher/views/pod.ts'
import { type AddressKey, addressKey } from './address.ts'

export class PodIndex {
  /** One pod as it is, several (the host's network) as an array. */
  readonly #pods = new Map<AddressKey, PodView | PodView[]>()

  find(key: AddressKey): readonly PodView[] {
    const found = this.#pods.get(key)
    if (found === undefined) return []
    return Array.isArray(found) ? found : [found]
  }

  replace(previous: PodView | undefined, next: PodView | undefined): void {
    for (const key of keysOf(previous)) {
      const rest = this.find(key).filter(pod => pod !== previous)
      if (rest.length === 0) this.#pods.delete(key)
      else this.#pods.set(key, rest.length === 1 ? rest[0]! : rest)
    }
    for (const key of keysOf(next)) {
      const others = this.find(key)
      this.#pods.set(key, others.length === 0 ? next! : [...others, next!])
    }
  }
}

const keysOf = (pod: PodView | undefined): string[] =>
  (pod?.addresses ?? []).map(addressKey).filter(key => key !== undefined)
