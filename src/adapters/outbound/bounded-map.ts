/** A map that forgets what was used least recently, so that no table grows with what callers choose. */
export class BoundedMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #sizeMax: number
  readonly #onForgotten: ((value: Value) => void) | undefined

  constructor(sizeMax: number, onForgotten?: (value: Value) => void) {
    this.#sizeMax = sizeMax
    this.#onForgotten = onForgotten
  }

  get size(): number {
    return this.#entries.size
  }

  /** The value, which counts as used now. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    // Order matters only when something is about to be forgotten; until then a read stays one lookup.
    if (value !== undefined && this.#entries.size * 2 > this.#sizeMax) {
      this.#entries.delete(key)
      this.#entries.set(key, value)
    }
    return value
  }

  /** The value without counting as a use. */
  peek(key: Key): Value | undefined {
    return this.#entries.get(key)
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#sizeMax) this.#forgetOldest()
  }

  delete(key: Key): void {
    this.#entries.delete(key)
  }

  /** Empties the map and returns what was in it. */
  drain(): readonly Value[] {
    const values = [...this.#entries.values()]
    this.#entries.clear()
    return values
  }

  #forgetOldest(): void {
    for (const [key, value] of this.#entries) {
      this.#entries.delete(key)
      this.#onForgotten?.(value)
      return
    }
  }
}
