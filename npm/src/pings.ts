import type { Frame } from "./frame.js"
import { guarded } from "./guard.js"

/** Pings that wait for their answers, by their refs. */
export class Pings {
  readonly #waiting = new Map<string, { connection: number; callback: () => void }>()

  /** A ping was sent now; `callback` gets the time in ms that its answer takes. */
  add(ref: string, connection: number, callback: (rtt: number) => void): void {
    const start = Date.now()
    this.#waiting.set(ref, { connection, callback: () => callback(Date.now() - start) })
  }

  /** This came, which may be an answer. */
  handle(frame: Frame): void {
    if (this.#waiting.size > 0) {
      const { ref } = frame.message
      const ping = this.#waiting.get(ref)
      this.#waiting.delete(ref)
      if (ping !== undefined) {
        guarded(ping.callback)
      }
    }
  }

  /** What was sent over this connection is not answered any more. */
  lose(connection: number): void {
    for (const [ref, ping] of this.#waiting) {
      if (ping.connection === connection) {
        this.#waiting.delete(ref)
      }
    }
  }
}
