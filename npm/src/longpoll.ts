import { appendParams } from "./ajax.js"
import { AUTH_TOKEN_PREFIX, READY } from "./constants.js"
import { report } from "./guard.js"
import { type Request, request } from "./request.js"

/** More messages in one request a Phoenix server does not read. */
const LARGEST_BATCH = 100

const OK = 200
const NO_CONTENT = 204
const FORBIDDEN = 403
const GONE = 410
const SERVER_ERROR = 500

/** Close codes: the session is gone from the server, and those of the WebSocket protocol. */
const SESSION_GONE = 3410
const NO_STATUS = 1005
const POLICY_VIOLATION = 1008
const INTERNAL_ERROR = 1011

interface CloseInfo {
  code: number
  reason?: string
  wasClean: boolean
}

/**
 * The transport that needs nothing but HTTP, for networks that let no WebSocket through. It has the interface of
 * `WebSocket`, and the behaviour of phoenix.js's: one GET waits for messages, and what is sent goes out by POST, at
 * most 100 messages in each and one at a time. Give it as `new Socket("/socket", { transport: LongPoll })`, or let
 * `longPollFallbackMs` turn to it.
 *
 * Binary frames are sent as base64. The token of the `authToken` option goes out as the header
 * `X-Phoenix-AuthToken`.
 */
export class LongPoll {
  /** The polls themselves show that the server is alive. */
  readonly skipHeartbeat = true
  readyState: number = READY.connecting
  /** How long one request may take, in ms. */
  timeout: number | undefined
  readonly authToken: string | undefined
  readonly pollEndpoint: string
  /** What the server knows the session by; null before there is one. */
  token: string | null = null
  onopen: (event: any) => void = () => {}
  onerror: (error: any) => void = () => {}
  onmessage: (event: { data: string }) => void = () => {}
  onclose: (event: CloseInfo) => void = () => {}

  /** The requests under way, which are this transport's until they are answered or it stops. */
  #requests = new Set<{ sent: Request | null }>()
  #deliveries = new Set<ReturnType<typeof setTimeout>>()
  #outgoing: string[] = []
  #posting = false
  #flush: ReturnType<typeof setTimeout> | undefined

  /** Connects once the caller has had the time to set its callbacks. */
  constructor(endPoint: string, protocols?: string | string[] | null) {
    const bearer = protocols?.length === 2 ? protocols[1] : ""
    if (bearer.startsWith(AUTH_TOKEN_PREFIX)) {
      this.authToken = atob(bearer.slice(AUTH_TOKEN_PREFIX.length))
    }
    this.pollEndpoint = this.normalizeEndpoint(endPoint)
    setTimeout(() => this.poll(), 0)
  }

  /** The URL to poll, for the URL of the WebSocket. */
  normalizeEndpoint(endPoint: string): string {
    return endPoint.replace(/^ws(s?):\/\//, "http$1://").replace(/(.*)\/websocket/, "$1/longpoll")
  }

  /** The URL of the next request. */
  endpointURL(): string {
    return this.token === null ? this.pollEndpoint : appendParams(this.pollEndpoint, { token: this.token })
  }

  /** Asks for messages, again and again, until the transport closes. */
  poll(): void {
    if (!this.#isActive()) {
      return
    }
    const headers: Record<string, string> = { Accept: "application/json" }
    if (this.authToken) {
      headers["X-Phoenix-AuthToken"] = this.authToken
    }
    this.#request("GET", headers, null, (answer) => this.#polled(answer))
  }

  /** Sends a frame. Those sent in one go share a request. */
  send(frame: string | ArrayBuffer): void {
    this.#outgoing.push(typeof frame === "string" ? frame : base64(frame))
    if (!this.#posting && this.#flush === undefined) {
      this.#flush = setTimeout(() => {
        this.#flush = undefined
        this.#post()
      }, 0)
    }
  }

  /** Closes for good. Without a code the close event says 1005, as that of a `WebSocket` does. */
  close(code?: number, reason?: string, wasClean?: boolean): void {
    this.#stop(READY.closed)
    this.#emitClose(code, reason, wasClean)
  }

  /** Closes because of `error`, and stands as connecting, since whoever uses it is expected to try again. */
  closeAndRetry(error: any, code?: number, reason?: string, wasClean?: boolean): void {
    if (!this.#isActive()) {
      return
    }
    this.#stop(READY.connecting)
    this.onerror(error)
    // The error's callback may have closed it for good.
    if (this.#isActive()) {
      this.#emitClose(code, reason, wasClean)
    }
  }

  /** A request took longer than `timeout`. */
  ontimeout(): void {
    this.closeAndRetry("timeout", NO_STATUS, "timeout", false)
  }

  #isActive(): boolean {
    return this.readyState === READY.connecting || this.readyState === READY.open
  }

  #polled(answer: any): void {
    const status = answer?.status
    if (status === GONE && this.token !== null) {
      // The session has expired or its server is gone, and the channels with it: they have to join again.
      this.closeAndRetry(GONE, SESSION_GONE, "session_gone", false)
      return
    }
    this.token = answer?.token ?? null
    switch (status) {
      case OK:
        this.#deliver(answer.messages)
        break
      case NO_CONTENT:
        this.poll()
        break
      case GONE:
        this.readyState = READY.open
        this.onopen({})
        this.poll()
        break
      case FORBIDDEN:
        this.onerror(FORBIDDEN)
        this.close(POLICY_VIOLATION, "forbidden", false)
        break
      default:
        this.#failed()
    }
  }

  /**
   * Hands out messages, each in a task of its own as a `WebSocket` does, so that promises settled by one are through
   * before the next. They are not waited for.
   */
  #deliver(messages: unknown): void {
    if (!Array.isArray(messages)) {
      this.#failed()
      return
    }
    for (const data of messages) {
      const timer = setTimeout(() => {
        this.#deliveries.delete(timer)
        this.onmessage({ data })
      }, 0)
      this.#deliveries.add(timer)
    }
    this.poll()
  }

  #post(): void {
    this.#posting = this.#outgoing.length > 0
    if (!this.#posting) {
      return
    }
    const batch = this.#outgoing.splice(0, LARGEST_BATCH).join("\n")
    this.#request("POST", { "Content-Type": "application/x-ndjson" }, batch, (answer) => {
      if (answer?.status === OK) {
        this.#post()
      } else {
        this.#failed(answer?.status ?? null)
      }
    })
  }

  /** The server, or something on the way to it, did not do its part. */
  #failed(error: unknown = SERVER_ERROR): void {
    this.closeAndRetry(error, INTERNAL_ERROR, "internal server error", false)
  }

  #request(
    method: "GET" | "POST",
    headers: Record<string, string>,
    body: string | null,
    onAnswer: (answer: any) => void,
  ): void {
    // It counts from before it is sent, since it may be over by the time it is.
    const own: { sent: Request | null } = { sent: null }
    this.#requests.add(own)
    try {
      own.sent = request({
        method,
        url: this.endpointURL(),
        headers,
        body,
        timeout: this.timeout,
        onTimeout: () => {
          if (this.#requests.delete(own)) {
            this.ontimeout()
          }
        },
        onAnswer: (answer) => {
          if (this.#requests.delete(own)) {
            onAnswer(answer)
          }
        },
      })
    } catch (error) {
      if (this.#requests.delete(own)) {
        report(error)
        this.closeAndRetry(error, NO_STATUS, String(error), false)
      }
    }
  }

  /** Drops all that is under way: requests, messages that came, messages that were to go. */
  #stop(readyState: number): void {
    this.readyState = readyState
    // Aborting may call back at once, when the requests must not be this transport's any more.
    const requests = this.#requests
    this.#requests = new Set()
    for (const { sent } of requests) {
      sent?.abort()
    }
    for (const timer of this.#deliveries) {
      clearTimeout(timer)
    }
    this.#deliveries.clear()
    clearTimeout(this.#flush)
    this.#flush = undefined
    this.#outgoing = []
    this.#posting = false
  }

  #emitClose(code = NO_STATUS, reason?: string, wasClean = true): void {
    const info = { code, reason, wasClean }
    this.onclose(typeof CloseEvent === "undefined" ? info : new CloseEvent("close", info))
  }
}

const base64 = (frame: ArrayBuffer): string => {
  let binary = ""
  for (const byte of new Uint8Array(frame)) {
    binary += String.fromCharCode(byte)
  }
  return btoa(binary)
}
