import { AUTH_TOKEN_PREFIX, READY } from "./constants.js"
import type { Socket } from "./socket.js"

/** Whom transports tell; each of them by the number of its connection. */
export interface Listener {
  /** One is about to be made. What this throws is as if it could not be. */
  opening(connection: number): void
  opened(connection: number, transport: any, url: string): void
  received(connection: number, data: any): void
  errored(connection: number, error: unknown): void
  closed(connection: number, event: any): void
  /** It was closed before there was a transport. */
  abandoned(connection: number): void
  /** It was told to close, and stands so since. */
  closing(connection: number, readyState: number, buffered: boolean): void
  /** The transport could not even be made. */
  failed(connection: number, error: unknown): void
  /** What it does not say by events. */
  seen(connection: number, readyState: number, buffered: boolean): void
}

/** A socket's transports: the present one, and those that are on their way out. */
export class Transports {
  readonly #socket: Socket
  readonly #listener: Listener
  readonly #transports = new Map<number, any>()
  /** Connections whose params or token are still being waited for. */
  readonly #awaited = new Set<number>()
  /** What the last look told. */
  #seen = { connection: 0, ready: -1, buffered: false }

  constructor(socket: Socket, listener: Listener) {
    this.#socket = socket
    this.#listener = listener
  }

  get(connection: number): any {
    return this.#transports.get(connection)
  }

  /** Asks for params and token, and then makes a transport of them. */
  open(connection: number): void {
    const socket = this.#socket
    try {
      this.#listener.opening(connection)
      const token = socket.authToken ? socket.authToken() : undefined
      const params = socket.params()
      if (isThenable(params) || isThenable(token)) {
        this.#awaited.add(connection)
        Promise.all([params, token]).then(
          ([params, token]) => this.#wasAwaited(connection, () => this.#make(connection, params, token)),
          (error) => this.#wasAwaited(connection, () => this.#listener.failed(connection, error)),
        )
      } else {
        this.#make(connection, params, token)
      }
    } catch (error) {
      this.#listener.failed(connection, error)
    }
  }

  #wasAwaited(connection: number, goOn: () => void): void {
    if (this.#awaited.delete(connection)) {
      try {
        goOn()
      } catch (error) {
        this.#listener.failed(connection, error)
      }
    }
  }

  #make(connection: number, params: any, token: any): void {
    const socket = this.#socket
    const listener = this.#listener
    const protocols = token ? ["phoenix", `${AUTH_TOKEN_PREFIX}${btoa(token).replace(/=/g, "")}`] : undefined
    const url = socket.endPointURL(params)
    const transport: any = new socket.transport(url, protocols)
    transport.binaryType = socket.binaryType
    transport.timeout = socket.longpollerTimeout
    for (const [id, old] of this.#transports) {
      if (old.readyState === READY.closed) {
        this.#transports.delete(id)
      }
    }
    this.#transports.set(connection, transport)
    transport.onopen = () => listener.opened(connection, transport, url)
    transport.onerror = (error: any) => listener.errored(connection, error)
    transport.onmessage = (event: any) => listener.received(connection, event.data)
    transport.onclose = (event: any) => listener.closed(connection, event)
  }

  /** Tells how the transport of this connection stands, if that is new. */
  look(connection: number): void {
    const transport = this.#transports.get(connection)
    if (transport === undefined) {
      return
    }
    const ready = transport.readyState
    const buffered = transport.bufferedAmount > 0
    const seen = this.#seen
    if (seen.connection !== connection || seen.ready !== ready || seen.buffered !== buffered) {
      this.#seen = { connection, ready, buffered }
      this.#listener.seen(connection, ready, buffered)
    }
  }

  /** One that still has bytes to send when another has replaced it is waited for. */
  lookAtOthers(present: number): void {
    for (const [connection, { readyState, bufferedAmount }] of this.#transports) {
      if (connection !== present) {
        this.#listener.seen(connection, readyState, bufferedAmount > 0)
      }
    }
  }

  /** Closes one, with `code` and `reason` if the code is not 0. */
  close(connection: number, code: number, reason: string | undefined): void {
    if (this.#awaited.delete(connection)) {
      this.#listener.abandoned(connection)
      return
    }
    const transport = this.#transports.get(connection)
    if (transport === undefined) {
      return
    }
    transport.onerror = () => {}
    if (code) {
      transport.close(code, reason)
    } else {
      transport.close()
    }
    this.#seen.connection = 0
    this.#listener.closing(connection, transport.readyState, transport.bufferedAmount > 0)
  }
}

const isThenable = (value: any): boolean => typeof value?.then === "function"
