/** The version of the protocol that a socket asks for unless told otherwise. */
export const DEFAULT_VSN = "2.0.0"
export const DEFAULT_TIMEOUT = 10000
export const AUTH_TOKEN_PREFIX = "base64url.bearer.phx."

/** A transport's `readyState`. */
export const READY = { connecting: 0, open: 1, closing: 2, closed: 3 } as const

export const EVENTS = {
  close: "phx_close",
  error: "phx_error",
  join: "phx_join",
  reply: "phx_reply",
  leave: "phx_leave",
} as const

export type ChannelState = "closed" | "errored" | "joined" | "joining" | "leaving"

/** Safari's TextDecoder fails for good once it has decoded 2 GiB in all. */
export const DECODER_LIMIT = 2 ** 31 - 2 ** 20
