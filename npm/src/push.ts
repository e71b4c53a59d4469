import type { Channel } from "./channel.js"
import { guarded } from "./guard.js"

export interface Response {
  status: string
  response: any
}

type Hook = { status: string; callback: (response: any) => void }

/** A status beside those that Phoenix itself replies with. */
type OtherStatus = string & {}

/** Why an awaited `join()`, `push()` or `leave()` failed. */
export class PushError<Err = any> extends Error {
  override readonly name = "PushError"
  /**
   * `error` (or whatever else the server replied), `timeout`, or `disconnected`: the reply can't come any more,
   * because the connection was lost, or the channel left or closed.
   */
  readonly status: "error" | "timeout" | "disconnected" | OtherStatus
  /** What the server replied; `{}` where it did not. */
  readonly response: Err
  readonly topic: string
  readonly event: string

  constructor(topic: string, event: string, { status, response }: Response) {
    super(`${event} to ${topic}: ${status}${said(response)}`)
    this.status = status
    this.response = response
    this.topic = topic
    this.event = event
  }
}

const said = (response: any): string => {
  const reason = response?.reason
  return typeof reason === "string" ? ` (${reason})` : ""
}

const LOST: Response = { status: "disconnected", response: {} }

/** A promise that nobody has asked for is never made, so that what uses `receive` alone rejects nothing. */
interface Awaited {
  promise: Promise<any>
  resolve: (response: any) => void
  reject: (error: PushError) => void
}

const withResolvers = (): Awaited => {
  const awaited = {} as Awaited
  awaited.promise = new Promise((resolve, reject) => {
    awaited.resolve = resolve
    awaited.reject = reject
  })
  return awaited
}

/**
 * A message that waits for its reply. It can be awaited: `ok` resolves it with the response, anything else rejects
 * it with a {@link PushError}.
 */
export class Push<Ok = any, Err = any> implements PromiseLike<Ok> {
  channel: Channel
  event: string
  payload: () => any
  timeout: number
  /** What its reply is known by, once it waits for one. */
  ref: string | null | undefined
  receivedResp: Response | null = null
  recHooks: Hook[] = []
  /** The payload computed when the push was sent, under this ref, without a connection. */
  #prepared: { ref: string | null | undefined; payload: any } | null = null
  #awaited: Awaited | null = null
  #lost = false

  /** @internal */
  constructor(channel: Channel, event: string, payload: (() => any) | undefined, timeout: number) {
    this.channel = channel
    this.event = event
    this.payload = payload ?? (() => ({}))
    this.timeout = timeout
  }

  /** @internal For Vue and Alpine, whose proxies have no private fields: it is to be left as it is. */
  get __v_skip(): true {
    return true
  }

  /**
   * Calls `callback` with the response when the push ends with `status`: the server's `ok` or `error` (or
   * any other it replies with), or `timeout`. At once, if it has ended so already.
   */
  receive(status: "ok", callback: (response: Ok) => unknown): this
  receive(status: "error", callback: (response: Err) => unknown): this
  receive(status: "timeout", callback: (response: {}) => unknown): this
  receive(status: string, callback: (response: any) => unknown): this
  receive(status: string, callback: (response: any) => unknown): this {
    if (this.receivedResp?.status === status) {
      callback(this.receivedResp.response)
    }
    this.recHooks.push({ status, callback })
    return this
  }

  /** Sends it again, as a new message with this time (ms) for its reply, which the same callbacks get. */
  resend(timeout: number = this.timeout): void {
    this.timeout = timeout
    this.receivedResp = null
    this.send()
  }

  /** As `resend`, but not if it has timed out. A join is not sent by these: its channel does so by itself. */
  send(): void {
    const { channel } = this
    if (this !== channel.joinPush && this.receivedResp?.status !== "timeout") {
      channel.socket.driver.disown(this)
      channel.socket.driver.push(channel, this, this.timeout)
    }
  }

  /** For `await`: of a channel's joins the latest outcome, or the next if there is none yet. */
  // biome-ignore lint/suspicious/noThenProperty: a push is meant to be awaited.
  then<A = Ok, B = never>(
    onOk?: ((response: Ok) => A | PromiseLike<A>) | null,
    onError?: ((error: PushError<Err>) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onOk, onError)
  }

  catch<B = never>(onError?: ((error: PushError<Err>) => B | PromiseLike<B>) | null): Promise<Ok | B> {
    return this.#promise().catch(onError)
  }

  finally(callback?: (() => void) | null): Promise<Ok> {
    return this.#promise().finally(callback)
  }

  #promise(): Promise<Ok> {
    const outcome = this.receivedResp ?? (this.#lost ? LOST : null)
    this.#awaited ??= withResolvers()
    const { promise } = this.#awaited
    if (outcome !== null) {
      this.#conclude(outcome)
    }
    return promise
  }

  #conclude(outcome: Response): void {
    const awaited = this.#awaited
    // A channel joins again and again, and whoever asks later is told of a later outcome.
    this.#awaited = null
    if (outcome?.status === "ok") {
      awaited?.resolve(outcome.response)
    } else {
      awaited?.reject(new PushError(this.channel.topic, this.event, outcome))
    }
  }

  /** @internal The reply can't come any more. Callbacks of `receive` still get their timeout. */
  lose(): void {
    this.#lost = true
    this.#conclude(LOST)
  }

  /** @internal */
  prepare(): any {
    const payload = this.payload()
    this.#prepared = { ref: this.ref, payload }
    return payload
  }

  /** @internal */
  isPrepared(): boolean {
    // A join that was tried again since is another message.
    return this.#prepared !== null && this.#prepared.ref === this.ref
  }

  /** @internal */
  takePayload(): any {
    // Of a join that is tried again a reply can come.
    this.#lost = false
    const payload = this.isPrepared() ? this.#prepared?.payload : this.payload()
    this.#prepared = null
    return payload ?? {}
  }

  /** @internal */
  settle(response: Response): void {
    this.receivedResp = response
    this.#conclude(response)
    for (const hook of this.recHooks.filter((hook) => hook.status === response?.status)) {
      guarded(hook.callback, response.response)
    }
  }
}
