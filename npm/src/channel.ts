import { type ChannelState, EVENTS } from "./constants.js"
import { Ask, ask } from "./engine.js"
import type { Frame } from "./frame.js"
import { closure, report, second } from "./guard.js"
import { Presence } from "./presence.js"
import { Push } from "./push.js"
import type { Socket } from "./socket.js"

export type Callback<Payload = any> = (
  payload: Payload,
  ref: string | null,
  joinRef: string | null | undefined,
) => unknown

interface Binding {
  event: string
  ref: number
  callback: Callback
  /** Of a presence's callback: how to call it for a message that came from the server. */
  presence: PresenceCallback | undefined
}

/** How to call a presence's callback for a message that came from the server. */
export const PRESENCE = Symbol("presence")

export interface PresenceCallback {
  /** The engine has read the payload already. */
  deliver(): void
  sync(payload: any, hasJoinRef: boolean): void
}

/** Where a message came from: the server, by the engine or around it; undefined, if the user made it. */
type Source = "engine" | "server" | undefined

export interface Channel {
  /**
   * Sees every message before the callbacks of its event do, and returns the payload they get. Meant to be
   * overridden.
   */
  onMessage(event: string, payload: any, ref?: any, joinRef?: any): any
}

/** A topic of a socket's: made by `socket.channel(topic, params)`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: an accessor, to be overridden as a method is.
export class Channel {
  topic: string
  params: () => object
  socket: Socket
  joinedOnce = false
  joinPush: Push
  bindings: Binding[] = []
  /** Never 0, as in phoenix.js, so that programs may ask `if (ref)`. */
  bindingRef = 3
  /** @internal */
  readonly handle: number
  #timeout: number
  #gone = false
  #hooked = false
  #presence: Presence | undefined
  #lastJoinRef: string | null | undefined

  static {
    Object.defineProperty(Channel.prototype, "onMessage", {
      get: () => second,
      set(hook) {
        Object.defineProperty(this, "onMessage", { value: hook, configurable: true, writable: true })
        // It is not, where the prototype's is overridden.
        if (#hooked in this) {
          this.#hook()
        }
      },
      configurable: true,
    })
  }

  /** Not yet one of the socket's `channels`, as what `socket.channel` makes is. */
  constructor(topic: string, params: object | (() => object) | undefined, socket: Socket) {
    if (typeof topic !== "string") {
      throw new TypeError(`topic must be a string, but is ${String(topic)}`)
    }
    this.topic = topic
    this.params = closure(params || {})
    this.socket = socket
    this.#timeout = socket.timeout
    this.joinPush = new Push(this, EVENTS.join, this.params, this.#timeout)
    this.handle = socket.driver.adopt(this)
  }

  /** @internal For Vue and Alpine, whose proxies have no private fields: it is to be left as it is. */
  get __v_skip(): true {
    return true
  }

  /** How long its joins and pushes wait for a reply, in ms. */
  get timeout(): number {
    return this.#timeout
  }

  set timeout(ms: number) {
    this.#timeout = ms
    ask(this.socket.driver.machine, Ask.SetTimeout, this.handle, ms)
  }

  /** Where the channel stands. */
  get state(): ChannelState {
    return this.#gone ? "closed" : this.socket.driver.channelState(this.handle)
  }

  /**
   * Joins the channel, once; after that it rejoins by itself. `timeout` (ms) becomes the channel's. Await it, or
   * use `receive`, whose callbacks are called at each rejoin too.
   * @throws Error the second time, and when the channel was left or closed.
   */
  join<Ok = any, Err = any>(timeout: number = this.timeout): Push<Ok, Err> {
    if (this.joinedOnce) {
      throw new Error(
        "tried to join multiple times. 'join' can only be called a single time per channel instance",
      )
    }
    if (this.#gone) {
      throw new Error(`the channel of '${this.topic}' is closed: make a new one with socket.channel()`)
    }
    if (this.onMessage !== second) {
      this.#hook()
    }
    this.timeout = timeout
    this.joinPush.timeout = timeout
    this.joinedOnce = true
    this.socket.driver.join(this, timeout)
    return this.joinPush
  }

  /** Calls `callback` when the channel was left, or closed by the server. */
  onClose(callback: Callback): number {
    return this.on(EVENTS.close, callback)
  }

  /** Calls `callback` with the reason when the channel crashed or lost its connection. */
  onError(callback: (reason: any) => unknown): number {
    return this.on(EVENTS.error, (reason) => callback(reason))
  }

  /** Calls `callback` with the payload of each `event`. Returns a ref for `off`. */
  on<Payload = any>(event: string, callback: Callback<Payload>): number {
    const ref = this.bindingRef++
    this.bindings.push({ event, ref, callback, presence: (callback as any)[PRESENCE] })
    return ref
  }

  /** Removes the callback that `on` gave `ref` for, or all of `event`. */
  off(event: string, ref?: number): void {
    const gone = this.bindings.filter(
      (binding) => binding.event === event && (ref === undefined || ref === binding.ref),
    )
    if (gone.some(({ presence }) => presence !== undefined)) {
      this.#hook()
    }
    this.unbind(gone.map(({ ref }) => ref))
  }

  /** @internal */
  unbind(refs: number[]): void {
    this.bindings = this.bindings.filter(({ ref }) => !refs.includes(ref))
  }

  /**
   * Sends `event` to the channel's process, now or once joined. `payload` is an object, sent as JSON, or an
   * `ArrayBuffer`, sent as it is. Await the reply, or use `receive`.
   * @throws Error before `join`.
   * @throws TypeError if `event` is no string.
   */
  push<Ok = any, Err = any>(
    event: string,
    payload?: object | null,
    timeout: number = this.timeout,
  ): Push<Ok, Err> {
    if (typeof event !== "string") {
      throw new TypeError(`event must be a string, but is ${String(event)}`)
    }
    const body = payload || {}
    if (!this.joinedOnce) {
      throw new Error(
        `tried to push '${event}' to '${this.topic}' before joining. Use channel.join() before pushing events`,
      )
    }
    const push = new Push(this, event, () => body, timeout)
    this.socket.driver.push(this, push, timeout)
    return push
  }

  /** @internal The presence that the hooks for React share. */
  presence(): Presence {
    this.#presence ??= new Presence(this)
    return this.#presence
  }

  /** Leaves the channel; its `onClose` callbacks are called at once. */
  leave(timeout: number = this.timeout): Push<{}, {}> {
    const push = new Push(this, EVENTS.leave, undefined, timeout)
    this.socket.driver.leave(this, push, timeout)
    return push
  }

  /** The ref of the present join. */
  joinRef(): string | null | undefined {
    return this.#gone ? this.#lastJoinRef : this.socket.driver.joinRef(this)
  }

  /** Whether a push would be sent at once. */
  canPush(): boolean {
    return this.socket.isConnected() && this.isJoined()
  }

  isClosed(): boolean {
    return this.state === "closed"
  }

  isErrored(): boolean {
    return this.state === "errored"
  }

  isJoined(): boolean {
    return this.state === "joined"
  }

  isJoining(): boolean {
    return this.state === "joining"
  }

  isLeaving(): boolean {
    return this.state === "leaving"
  }

  /** Calls the callbacks of `event`. */
  trigger(event: string, payload?: any, ref?: any, joinRef?: any): void {
    const handled = this.#handle(event, payload, ref, joinRef)
    this.#dispatch(event, handled, ref, joinRef)
  }

  /** @internal A message that the engine found to be this channel's. */
  receive(frame: Frame, reply: Push | undefined): void {
    if (frame.engineRead !== null && !this.#hooked) {
      const event = frame.engineRead
      this.#dispatch(event, null, null, null, "engine", frame)
      return
    }
    const source = frame.byEngine && !this.#hooked ? "engine" : "server"
    const { event, payload, ref, join_ref } = frame.message
    if (event === EVENTS.close && this.#gone) {
      this.socket.log("channel", `close ${this.topic} ${this.#lastJoinRef}`)
    }
    const handled = this.#handle(event, payload, ref, join_ref)
    if (event === EVENTS.reply) {
      this.settle(reply, handled, ref)
    }
    this.#dispatch(event, handled, ref, join_ref, source)
  }

  /** @internal The end of a push, if one waits for it: a message of the channel's, as phoenix.js has it. */
  settle(push: Push | undefined, response: any, ref: any): void {
    const event = `chan_reply_${ref}`
    const handled = this.#handle(event, response, undefined, undefined)
    push?.settle(handled)
    this.#dispatch(event, handled, undefined, undefined)
  }

  /** @internal The channel is no longer the socket's. */
  close(reason: string, joinRef: string | null | undefined): void {
    this.closed(joinRef)
    const { socket } = this
    socket.log("channel", `leave ${this.topic}`)
    socket.log("channel", `close ${this.topic} ${joinRef}`)
    this.trigger(EVENTS.close, reason)
  }

  /** @internal From now on it is; its last join was this. */
  closed(joinRef: string | null | undefined): void {
    this.#gone = true
    this.#lastJoinRef = joinRef
  }

  /** From now on presences get their payloads by their callbacks, so that the engine must not read them itself. */
  #hook(): void {
    ask(this.socket.driver.machine, Ask.SetHooked, this.handle)
    this.#hooked = true
  }

  /** What `onMessage` makes of a payload. If it throws, or forgets to return one, callbacks get what came. */
  #handle(event: string, payload: any, ref: any, joinRef: any): any {
    try {
      const handled = this.onMessage(event, payload, ref, joinRef)
      if (payload && !handled) {
        throw new Error("channel onMessage callbacks must return the payload, modified or unmodified")
      }
      return handled
    } catch (error) {
      report(error)
      return payload
    }
  }

  /** `payload` is not needed of a frame, whose payload is decoded only if somebody is to get it. */
  #dispatch(
    event: string,
    payload: any,
    ref: any,
    joinRef: any,
    source: Source = undefined,
    frame: Frame | null = null,
  ): void {
    if (event === EVENTS.error) {
      this.socket.log("channel", `error ${this.topic}`, payload)
    }
    // Those who come meanwhile are not called; taking one off leaves this array as it is.
    const { bindings } = this
    const { length } = bindings
    for (let at = 0; at < length; at++) {
      const binding = bindings[at]
      if (binding.event !== event) {
        continue
      }
      const { callback, presence } = binding
      try {
        if (presence !== undefined && source === "engine") {
          presence.deliver()
          continue
        }
        const value = frame === null ? payload : frame.message.payload
        if (presence !== undefined && source === "server") {
          presence.sync(value, !!joinRef)
        } else {
          callback(value, ref, joinRef || this.joinRef())
        }
      } catch (error) {
        report(error)
      }
    }
  }
}
