// A seeded source of random numbers (sfc32), so that a seed gives the same history everywhere.

export class Random {
  #a
  #b
  #c
  #counter = 1

  constructor(seed) {
    // Spread the seed's text over the state (FNV-1a, one round a word).
    const hash = (salt) => {
      let h = 0x811c9dc5 ^ salt
      for (const char of String(seed)) {
        h = Math.imul(h ^ char.codePointAt(0), 0x01000193)
      }
      return h | 0
    }
    this.#a = hash(1)
    this.#b = hash(2)
    this.#c = hash(3)
    for (let round = 0; round < 12; round++) {
      this.#next()
    }
  }

  #next() {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return sum >>> 0
  }

  /** A whole number from 0 to `count - 1`. */
  below(count) {
    return Math.floor((this.#next() / 2 ** 32) * count)
  }

  chance(probability) {
    return this.#next() / 2 ** 32 < probability
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  /** One of `[weight, value]`, by weight. */
  weighted(choices) {
    let at = this.below(choices.reduce((sum, [weight]) => sum + weight, 0))
    for (const [weight, value] of choices) {
      at -= weight
      if (at < 0) {
        return value
      }
    }
    throw new Error("no choices")
  }

  /** What `make` makes, `count` times. */
  times(count, make) {
    return Array.from({ length: count }, (_, index) => make(index))
  }
}
