import { Ask, ask } from "./engine.js"
import { report } from "./guard.js"
import { LongPoll } from "./longpoll.js"
import type { Socket } from "./socket.js"

/** Where a session remembers that its network needed long polling. */
const MEMORY = "phx:fallback:LongPoll"

/**
 * Turns a socket to long polling when its own transport does not get through within `longPollFallbackMs`: when it
 * fails before it ever opened, does not open, or opens and then lets no ping through.
 */
export class Fallback {
  readonly #socket: Socket
  #timer: ReturnType<typeof setTimeout> | undefined
  #refs: string[] = []
  /** A ping has come back over the transport that was asked for, so that long polling is not worth remembering. */
  #healthy = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** The socket is about to connect, for the first time or again. */
  watch(): void {
    const socket = this.#socket
    const wait = socket.longPollFallbackMs
    if (!wait || socket.transport === LongPoll) {
      return
    }
    // The callbacks of an earlier try must not judge this one.
    this.stop()
    socket.off(this.#refs)
    if (this.#remembered()) {
      socket.log("transport", "falling back to LongPoll...", "memorized")
      socket.transport = LongPoll
      return
    }

    const { machine } = socket.driver
    const now = () => ask(machine, Ask.ConnectClock)
    const clock = now()
    const isCurrent = () => clock === now() && !socket.closeWasClean
    let opened = false
    let fellBack = false

    const fallBack = (reason?: any) => {
      socket.log("transport", "falling back to LongPoll...", reason)
      socket.off([errorRef])
      fellBack = true
      const before = now()
      socket.replaceTransport(LongPoll)
      // A channel's error callback may have connected or disconnected, and then that counts.
      if (now() === before + 1) {
        socket.driver.connect()
      }
    }

    this.#timer = setTimeout(fallBack, wait)

    const errorRef = socket.onError((reason) => {
      if (!isCurrent()) {
        return
      }
      socket.log("transport", "error", reason)
      if (!fellBack && !opened) {
        this.stop()
        fallBack(reason)
      }
    })

    const openRef = socket.onOpen(() => {
      if (fellBack) {
        this.#fallbackOpened()
      } else if (isCurrent()) {
        opened = true
        // Some proxies let a WebSocket open and nothing pass.
        this.stop()
        this.#timer = setTimeout(fallBack, wait)
        socket.ping((rtt) => {
          socket.log("transport", "connected to primary after", rtt)
          this.#healthy = true
          this.stop()
        })
      }
    })
    this.#refs = [errorRef, openRef]
  }

  /** The present try is over: somebody disconnected, or chose another transport. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #fallbackOpened(): void {
    const socket = this.#socket
    // It stays registered, and by now the socket may use something else again.
    if (socket.transport !== LongPoll || socket.closeWasClean) {
      return
    }
    if (!this.#healthy) {
      socket.sessionStore?.setItem(MEMORY, "true")
    }
    socket.log("transport", "established LongPoll fallback")
  }

  #remembered(): boolean {
    try {
      return !!this.#socket.sessionStore?.getItem(MEMORY)
    } catch (error) {
      report(error)
      return false
    }
  }
}
