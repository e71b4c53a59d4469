/** What `new Socket` takes beside the endpoint. All is optional; times are in ms. */
export interface SocketOptions {
  /** The class of the transport: `WebSocket`, `LongPoll`, or one with the interface of `WebSocket`. */
  transport?: any
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
  logger?: (kind: string, message: string, data: any) => void
  /** Log to the console. */
  debug?: boolean
  /** What goes into the URL; a function is asked at each connect, and may return a promise. */
  params?: any
  /** What the server sees as `:auth_token`; a function is asked at each connect, and may return a promise. */
  authToken?: string | (() => string | null | undefined | Promise<string | null | undefined>)
  binaryType?: BinaryType
  vsn?: string
  encode?: (message: any, callback: (frame: any) => any) => any
  decode?: (frame: any, callback: (message: any) => any) => any
  /** Where to remember that long polling was needed, instead of `window.sessionStorage`. */
  sessionStorage?: any
  longpollerTimeout?: number
  /** How many messages wait for the connection at the most. */
  maxBuffered?: number
  /** Stop connecting once the server has refused for good. */
  stopOnRefusal?: boolean
  /** Stop joining a channel once the server has refused the join for good. */
  stopOnJoinRefusal?: boolean
}

const TYPES: Record<keyof SocketOptions, string[]> = {
  transport: ["function"],
  longPollFallbackMs: ["number"],
  timeout: ["number"],
  heartbeatIntervalMs: ["number"],
  heartbeatTimeoutMs: ["number"],
  reconnectAfterMs: ["function"],
  rejoinAfterMs: ["function"],
  jitter: ["number"],
  logger: ["function"],
  debug: ["boolean"],
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
    // biome-ignore lint/suspicious/useValidTypeof: the types are those of the table.
    if (value && !types.some((type) => typeof value === type)) {
      throw new TypeError(`the option ${name} must be a ${types.join(" or a ")}, but is ${describe(value)}`)
    }
  }
  return options
}

const describe = (value: unknown): string => {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value)
  return `${text.length > 60 ? `${text.slice(0, 60)}…` : text} (${value === null ? "null" : typeof value})`
}
