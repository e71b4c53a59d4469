import { NONE } from "./engine.js"

/** `setTimeout` takes no longer one. A machine that is woken early does nothing. */
const LONGEST_TIMEOUT = 2 ** 31 - 1

/** A machine's clock, in ms, and the timer that wakes it. */
export class Alarm {
  readonly #ring: () => void
  #clock = performance.now()
  #now = this.#clock
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What `setTimeout` waits for. Never an integer to V8, which would have two shapes of this class otherwise. */
  #deadline = Number.NaN

  constructor(ring: () => void) {
    this.#ring = ring
  }

  /** The clock is looked up at each call, so that a faked one is used, even if it is faked meanwhile and set back. */
  now(): number {
    const clock = performance.now()
    this.#now += Math.max(clock - this.#clock, 0)
    this.#clock = clock
    return this.#now
  }

  /** Rings at this time alone; -1: never. */
  set(deadline: number): void {
    if (deadline === this.#deadline) {
      return
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#deadline = deadline
    if (deadline !== NONE) {
      const wait = Math.min(Math.max(deadline - this.now(), 0), LONGEST_TIMEOUT)
      this.#timer = setTimeout(() => {
        this.#deadline = NONE
        // Timers may fire a little early, and a faked one need not move the clock.
        this.#now = Math.max(this.now(), wait < LONGEST_TIMEOUT ? deadline : 0)
        this.#ring()
      }, wait)
    }
  }
}
