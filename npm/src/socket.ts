import { appendParams } from "./ajax.js"
import { Channel } from "./channel.js"
import { DEFAULT_TIMEOUT, DEFAULT_VSN } from "./constants.js"
import { Driver } from "./driver.js"
import { Ask, ask } from "./engine.js"
import type { Message } from "./frame.js"
import { closure, guarded } from "./guard.js"
import { LongPoll } from "./longpoll.js"
import { checkOptions, type SocketOptions } from "./options.js"
import type { Presence } from "./presence.js"
import { type Outgoing, Serializer } from "./serializer.js"
import type {
  ConnectionState,
  Logger,
  Refusal,
  Transport,
  TransportClass,
  Message as WireMessage,
} from "./types.js"

type Listener = [ref: string, callback: (...args: any[]) => unknown]
type Kind = "open" | "close" | "error" | "message"

const RECONNECT = [10, 50, 100, 150, 200, 250, 500, 1000, 2000]
const REJOIN = [1000, 2000, 5000]
/** By a transport's `readyState`. */
const STATES = ["connecting", "open", "closing"] as const

/**
 * One of everything, never connected, once a socket is let go: V8 throws its best code away at a collection that finds
 * no object of a shape it counts on, and whoever comes back would find everything slow again.
 */
let kept: Presence | undefined

/** A connection to a Phoenix server, and the channels on it. */
export class Socket {
  stateChangeCallbacks: Record<Kind, Listener[]> = { open: [], close: [], error: [], message: [] }
  channels: Channel[] = []
  timeout: number
  transport: TransportClass
  longPollFallbackMs: number | undefined
  sessionStore: Pick<Storage, "getItem" | "setItem"> | undefined
  establishedConnections = 0
  defaultEncoder: NonNullable<SocketOptions["encode"]> = Serializer.encode
  defaultDecoder: NonNullable<SocketOptions["decode"]> = Serializer.decode
  encode: NonNullable<SocketOptions["encode"]>
  decode: NonNullable<SocketOptions["decode"]>
  binaryType: BinaryType
  reconnectAfterMs: (tries: number) => number
  rejoinAfterMs: (tries: number) => number
  logger: Logger | null
  longpollerTimeout: number
  params: () => object | Promise<object>
  endPoint: string
  vsn: string
  authToken: (() => string | null | undefined | Promise<string | null | undefined>) | undefined
  #heartbeatIntervalMs: number
  #refusals: Listener[] = []
  /** @internal */
  readonly driver: Driver

  /**
   * A socket for `endPoint`, such as `"/socket"` or `"wss://example.com/socket"`. It is not connected yet.
   * @throws TypeError naming the option that is of a wrong type.
   */
  constructor(endPoint: string, options: SocketOptions = {}) {
    const opts = checkOptions(endPoint, options)
    this.timeout = opts.timeout || DEFAULT_TIMEOUT
    this.transport = (opts.transport || scope().WebSocket || LongPoll) as TransportClass
    this.longPollFallbackMs = opts.longPollFallbackMs
    this.sessionStore = (opts.sessionStorage as Storage) || sessionStorageOrNone()
    const custom = this.transport !== LongPoll
    this.encode = (custom && opts.encode) || this.defaultEncoder
    this.decode = (custom && opts.decode) || this.defaultDecoder
    this.binaryType = opts.binaryType || "arraybuffer"
    this.#heartbeatIntervalMs = opts.heartbeatIntervalMs || 30000
    // Called as methods of the options, as which phoenix.js calls them.
    this.reconnectAfterMs = (tries) =>
      opts.reconnectAfterMs ? opts.reconnectAfterMs(tries) : RECONNECT[tries - 1] || 5000
    this.rejoinAfterMs = (tries) =>
      opts.rejoinAfterMs ? opts.rejoinAfterMs(tries) : REJOIN[tries - 1] || 10000
    this.logger = opts.logger || null
    if (!this.logger && opts.debug) {
      this.logger = (kind, message, data) => console.log(`${kind}: ${message}`, data)
    }
    this.longpollerTimeout = opts.longpollerTimeout || 20000
    this.params = closure(opts.params || {})
    this.endPoint = `${endPoint}/websocket`
    this.vsn = opts.vsn || DEFAULT_VSN
    this.authToken = opts.authToken ? closure(opts.authToken) : undefined
    this.driver = new Driver(
      this,
      { ...opts, timeout: this.timeout, heartbeatIntervalMs: this.heartbeatIntervalMs },
      this.vsn,
    )
  }

  get heartbeatIntervalMs(): number {
    return this.#heartbeatIntervalMs
  }

  set heartbeatIntervalMs(ms: number) {
    this.#heartbeatIntervalMs = ms
    ask(this.driver.machine, Ask.SetHeartbeatInterval, ms)
  }

  /** @internal For Vue and Alpine, whose proxies have no private fields: it is to be left as it is. */
  get __v_skip(): true {
    return true
  }

  /** The transport of the present connection, for example a `WebSocket`. */
  get conn(): Transport | null {
    return this.driver.connection
  }

  /** Whether the last close was asked for, so that the socket does not reconnect. */
  get closeWasClean(): boolean {
    return ask(this.driver.machine, Ask.CloseWasClean) === 1
  }

  /** The class of the long-polling transport. */
  getLongPollTransport(): typeof LongPoll {
    return LongPoll
  }

  /** Closes the connection and uses `newTransport` for the next. */
  replaceTransport(newTransport: TransportClass): void {
    this.transport = newTransport
    this.driver.replaceTransport()
  }

  /** `ws` or `wss`, as the page was loaded. */
  protocol(): "ws" | "wss" {
    return location.protocol.match(/^https/) ? "wss" : "ws"
  }

  /** The URL that the socket connects to; `params` need to be given where they are a promise. May be overridden. */
  endPointURL(params: any = this.params()): string {
    const uri = appendParams(appendParams(this.endPoint, params), { vsn: this.vsn })
    if (uri.charAt(0) !== "/") {
      return uri
    }
    if (uri.charAt(1) === "/") {
      return `${this.protocol()}:${uri}`
    }
    return `${this.protocol()}://${location.host}${uri}`
  }

  /** Connects, unless connected already. Reconnects by itself until `disconnect`. */
  connect(params?: object): void {
    if (params) {
      console?.log("passing params to connect is deprecated. Instead pass :params to the Socket constructor")
      this.params = closure(params)
    }
    this.driver.connect()
  }

  /** Disconnects; `callback` is called once the connection is closed. */
  disconnect(callback?: () => void, code?: number, reason?: string): void {
    this.driver.disconnect(callback, code, reason)
    if (kept === undefined) {
      kept = new Socket("").channel("").presence()
    }
  }

  /** A channel for `topic`, not joined yet. `params`, or what it returns, is the payload of its joins. */
  channel(topic: string, params: object | (() => object) = {}): Channel {
    const channel = new Channel(topic, params, this)
    this.channels.push(channel)
    return channel
  }

  /** Sends a message as it is, now or once connected. */
  push(message: Outgoing): void {
    this.driver.sendRaw(message as WireMessage)
  }

  /** Calls `callback` with the time in ms that the server takes to answer. False if not connected. */
  ping(callback: (rtt: number) => void): boolean {
    return this.driver.ping(callback)
  }

  /** Calls `callback` whenever the connection opens. Returns a ref for `off`, as its siblings do. */
  onOpen(callback: () => unknown): string {
    return this.#listen("open", callback)
  }

  onClose(callback: (event: CloseEvent) => unknown): string {
    return this.#listen("close", callback)
  }

  /** `error` is the transport's: an event of a `WebSocket`'s, a status or a word of `LongPoll`'s. */
  onError(
    callback: (error: any, transport: TransportClass, establishedConnections: number) => unknown,
  ): string {
    return this.#listen("error", callback)
  }

  onMessage(callback: (message: WireMessage) => unknown): string {
    return this.#listen("message", callback)
  }

  /** Calls `callback` when the server has refused for good, where `stopOnRefusal` is set. */
  onRefusal(callback: (refusal: Refusal) => unknown): string {
    const ref = this.makeRef()
    this.#refusals.push([ref, callback])
    return ref
  }

  /** Removes the callbacks of these refs. */
  off(refs: string[]): void {
    const others = (listeners: Listener[]) => listeners.filter(([ref]) => !refs.includes(ref))
    this.#refusals = others(this.#refusals)
    for (const kind of Object.keys(this.stateChangeCallbacks) as Kind[]) {
      this.stateChangeCallbacks[kind] = others(this.stateChangeCallbacks[kind])
    }
  }

  connectionState(): ConnectionState {
    return STATES[this.conn?.readyState as number] ?? "closed"
  }

  isConnected(): boolean {
    return this.connectionState() === "open"
  }

  /** The next ref of a message. */
  makeRef(): string {
    return this.driver.makeRef()
  }

  log(kind: string, message: string, data?: unknown): void {
    if (this.logger) {
      guarded(() => this.logger!(kind, message, data))
    }
  }

  hasLogger(): boolean {
    return this.logger !== null
  }

  /**
   * Takes a channel off `channels`, as `channel.leave()` does by itself: no messages reach it any more, and it does not
   * rejoin.
   */
  remove(channel: Channel): void {
    if (this.channels.includes(channel)) {
      this.channels = this.channels.filter((other) => other !== channel)
      ask(this.driver.machine, Ask.Remove, channel.handle)
    }
  }

  /** @internal */
  encodesItself(): boolean {
    return this.encode === this.defaultEncoder
  }

  /** @internal */
  decodesItself(): boolean {
    return this.decode === this.defaultDecoder
  }

  /** @internal */
  call(kind: Kind, ...args: any[]): void {
    // Those that are added meanwhile wait for the next time.
    for (const [, callback] of [...this.stateChangeCallbacks[kind]]) {
      guarded(callback, ...args)
    }
  }

  /** @internal */
  callError(error: any): void {
    if (this.hasLogger()) {
      this.log("transport", "error", error)
    }
    this.call("error", error, this.transport, this.establishedConnections)
  }

  /** @internal */
  gaveUp(code: number): void {
    this.log("transport", `refused for good (${code}): not reconnecting`)
    for (const [, callback] of [...this.#refusals]) {
      guarded(callback, { code })
    }
  }

  /** @internal */
  logConnected(url: string): void {
    if (this.hasLogger()) {
      const name = this.transport === LongPoll ? "LongPoll" : this.transport.name
      this.log("transport", `${name} connected to ${url}`)
    }
  }

  /** @internal */
  logReceived({ topic, event, payload, ref }: Message): void {
    this.log("receive", `${payload?.status || ""} ${topic} ${event} ${ref ? `(${ref})` : ""}`, payload)
  }

  #listen(kind: Kind, callback: (...args: any[]) => unknown): string {
    const ref = this.makeRef()
    this.stateChangeCallbacks[kind].push([ref, callback])
    return ref
  }
}

/** Where phoenix.js looks for what a browser has: a program may have made a `window` of its own, in Node for one. */
const scope = (): typeof globalThis => globalThis.self || globalThis.window || globalThis

/** Reading `sessionStorage` can throw where storage is forbidden. */
const sessionStorageOrNone = (): Storage | undefined => {
  try {
    return scope().sessionStorage
  } catch {
    return undefined
  }
}
