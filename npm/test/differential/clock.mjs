// A clock that stands until it is told to go on. Timers fire in the order of their times, those of one time in the
// order they were set, as in browsers.

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  dateNow: Date.now,
  performanceNow: performance.now.bind(performance),
}

export class Clock {
  now = 0
  /** Called when all timers of a time have fired. */
  settled = () => {}
  #count = 0
  #timers = new Map()
  #onError

  /** `onError` gets what timers' callbacks throw. */
  constructor(onError) {
    this.#onError = onError
  }

  install() {
    globalThis.setTimeout = (callback, ms = 0) => {
      const wait = Math.max(0, Math.trunc(Number(ms)) || 0)
      const id = ++this.#count
      this.#timers.set(id, { at: this.now + wait, callback })
      return id
    }
    globalThis.clearTimeout = (id) => this.#timers.delete(id)
    Date.now = () => this.now
    performance.now = () => this.now
  }

  uninstall() {
    globalThis.setTimeout = real.setTimeout
    globalThis.clearTimeout = real.clearTimeout
    Date.now = real.dateNow
    performance.now = real.performanceNow
  }

  /** A timer counts as set now, where it is due at the same time as others. */
  requeue(id) {
    const timer = this.#timers.get(id)
    if (this.#timers.delete(id)) {
      this.#timers.set(id, timer)
    }
  }

  /** How many timers are running. */
  get running() {
    return this.#timers.size
  }

  advance(ms) {
    const end = this.now + ms
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      const [id, { at, callback }] = next
      this.#timers.delete(id)
      this.now = Math.max(this.now, at)
      try {
        callback()
      } catch (error) {
        this.#onError(error)
      }
      if (this.#next(this.now) === undefined) {
        this.settled()
      }
    }
    this.now = end
  }

  #next(end) {
    let first
    for (const timer of this.#timers) {
      if (timer[1].at <= end && (first === undefined || timer[1].at < first[1].at)) {
        first = timer
      }
    }
    return first
  }
}
