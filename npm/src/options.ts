import type { Closure, Logger, Message, TransportClass, WireFrame } from "./types.js"

/**
 * What `new Socket` takes beside the endpoint. All is optional; times are in ms. As wide as what `@types/phoenix` has,
 * so that what asks for phoenix.js's class, as LiveView does, takes this package's.
 */
export interface SocketOptions {
  /** The class of the transport: `WebSocket`, `LongPoll`, or one with the interface of `WebSocket`. */
  transport?: TransportClass | (new (endPoint: string) => object)
  /** Fall back to long polling when the connection has not opened, or not answered, for this long. */
  longPollFallbackMs?: number
  /** How long a push waits for its reply: 10,000. */
  timeout?: number
  /** Time between heartbeats: 30,000. */
  heartbeatIntervalMs?: number
  /** How long a heartbeat waits for its answer, if not as long as the interval. */
  heartbeatTimeoutMs?: number
  /** The wait before the n-th try to connect again. */
  reconnectAfterMs?: (tries: number) => number
  /** The wait before the n-th try to join a channel again. */
  rejoinAfterMs?: (tries: number) => number
  /** The fraction (0 to 1) of those waits that is cut at random. */
  jitter?: number
  /** Is told what the socket does. */
  logger?: Logger
  /** Log to the console. */
  debug?: boolean
  /** What goes into the URL; a function is asked at each connect, and may return a promise. */
  params?: Closure<object | Promise<object>>
  /** What the server sees as `:auth_token`; a function is asked at each connect, and may return a promise. */
  authToken?: string | (() => string | null | undefined | Promise<string | null | undefined>)
  /** What a `WebSocket` gives binary frames as: `arraybuffer`. */
  binaryType?: BinaryType
  /** The version of the wire format: `2.0.0`, or `1.0.0` for old servers. */
  vsn?: string
  /** Makes a frame of a message, and calls `callback` with it, now or later. */
  encode?: (message: Message, callback: (frame: WireFrame) => any) => any
  /** Makes a message of a frame, and calls `callback` with it, now or later. */
  decode?: (frame: any, callback: (message: Message) => any) => any
  /** Where to remember that long polling was needed, instead of `window.sessionStorage`. */
  sessionStorage?: Partial<Pick<Storage, "getItem" | "setItem">>
  /** How long one request of long polling may take: 20,000. */
  longpollerTimeout?: number
  /** How many messages wait for the connection at the most. */
  maxBuffered?: number
  /**
   * Stop connecting once the server has refused for good: by close code 1008, as which long polling's 403 comes too.
   * `socket.onRefusal` tells of it.
   */
  stopOnRefusal?: boolean
  /**
   * Stop joining a channel once the server has refused the join for good: as `unauthorized`, `forbidden` or
   * `unmatched topic`. The channel is closed then.
   */
  stopOnJoinRefusal?: boolean
}

/** Whatever is true is `debug`. */
const TYPES: Record<Exclude<keyof SocketOptions, "debug">, string[]> = {
  transport: ["function"],
  longPollFallbackMs: ["number"],
  timeout: ["number"],
  heartbeatIntervalMs: ["number"],
  heartbeatTimeoutMs: ["number"],
  reconnectAfterMs: ["function"],
  rejoinAfterMs: ["function"],
  jitter: ["number"],
  logger: ["function"],
  params: ["object", "function"],
  authToken: ["string", "function"],
  binaryType: ["string"],
  vsn: ["string"],
  encode: ["function"],
  decode: ["function"],
  sessionStorage: ["object"],
  longpollerTimeout: ["number"],
  maxBuffered: ["number"],
  stopOnRefusal: ["boolean"],
  stopOnJoinRefusal: ["boolean"],
}

/** Numbers that phoenix.js does not take. For its own it takes NaN, as a missing setting is parsed, for not given. */
const OWN = ["heartbeatTimeoutMs", "jitter", "maxBuffered"]

/** The options, each of a type that it may have. Falsy ones count as not given, as in phoenix.js. */
export const checkOptions = (endPoint: unknown, options: SocketOptions): SocketOptions => {
  if (typeof endPoint !== "string") {
    throw new TypeError(`endPoint must be a string, but is ${describe(endPoint)}`)
  }
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the socket's options must be an object, but are ${describe(options)}`)
  }
  for (const [name, types] of Object.entries(TYPES)) {
    const value = options[name as keyof SocketOptions]
    if (value && !types.some((type) => typeof value === type)) {
      throw new TypeError(`the option ${name} must be a ${types.join(" or a ")}, but is ${describe(value)}`)
    }
    if (typeof value === "number" && !(value >= 0) && (value || OWN.includes(name))) {
      throw new TypeError(`the option ${name} must not be negative, but is ${describe(value)}`)
    }
  }
  if ((options.jitter ?? 0) > 1) {
    throw new TypeError(`the option jitter must be from 0 to 1, but is ${describe(options.jitter)}`)
  }
  return options
}

const describe = (value: unknown): string => {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value)
  return `${text.length > 60 ? `${text.slice(0, 60)}…` : text} (${value === null ? "null" : typeof value})`
}
