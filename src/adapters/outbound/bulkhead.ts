/** How many calls to one subscriber may be under way; past it a call is refused at once, never queued. */
export class Bulkhead {
  limit: number
  #inFlight = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Takes a place; false when there is none. */
  enter(): boolean {
    if (this.#inFlight >= this.limit) return false
    this.#inFlight += 1
    return true
  }

  leave(): void {
    this.#inFlight -= 1
  }
}
