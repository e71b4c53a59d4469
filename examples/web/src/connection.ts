import { setText, within } from "./dom"

export type State = "connecting" | "online" | "reconnecting" | "offline"

const LABELS: Record<State, string> = {
  connecting: "Connecting",
  online: "Online",
  reconnecting: "Reconnecting",
  offline: "Offline",
}

/** The connection as the user should see it, told from what the socket, the channel and the browser report. */
export class Connection {
  #state: State = "connecting"
  #lostAt: number | undefined

  constructor(
    readonly element: HTMLElement,
    readonly changed: (state: State, awayMs: number | undefined) => void,
  ) {}

  get state(): State {
    return this.#state
  }

  /** The room has let us in. */
  up(): void {
    const awayMs = this.#lostAt === undefined ? undefined : performance.now() - this.#lostAt
    this.#lostAt = undefined
    this.#set("online", awayMs)
  }

  /** The socket closed or the channel failed; the library is trying again. */
  down(): void {
    this.#lostAt ??= performance.now()
    this.#set(navigator.onLine ? "reconnecting" : "offline")
  }

  #set(state: State, awayMs?: number): void {
    if (state === this.#state) return
    this.#state = state
    this.element.dataset.state = state
    setText(within(this.element, ".label"), LABELS[state])
    this.changed(state, awayMs)
  }
}
