import type { Channel } from "./channel.js"
import { guarded } from "./guard.js"

export interface Response {
  status: string
  response: any
}

type Hook = { status: string; callback: (response: any) => void }

/** A message that waits for its reply. */
export class Push {
  channel: Channel
  event: string
  payload: () => any
  timeout: number
  receivedResp: Response | null = null
  recHooks: Hook[] = []
  /** The payload computed when the push was sent without a connection. */
  #prepared: { payload: any } | null = null

  constructor(channel: Channel, event: string, payload: (() => any) | undefined, timeout: number) {
    this.channel = channel
    this.event = event
    this.payload = payload ?? (() => ({}))
    this.timeout = timeout
  }

  /**
   * Calls `callback` with the response when the push ends with `status`: the server's `ok` or `error` (or
   * any other it replies with), or `timeout`. At once, if it has ended so already.
   */
  receive(status: string, callback: (response?: any) => any): this {
    if (this.receivedResp?.status === status) {
      callback(this.receivedResp.response)
    }
    this.recHooks.push({ status, callback })
    return this
  }

  /** @internal */
  prepare(): any {
    const payload = this.payload()
    this.#prepared = { payload }
    return payload
  }

  /** @internal */
  isPrepared(): boolean {
    return this.#prepared !== null
  }

  /** @internal */
  takePayload(): any {
    const prepared = this.#prepared
    this.#prepared = null
    return (prepared ? prepared.payload : this.payload()) ?? {}
  }

  /** @internal */
  settle(response: Response): void {
    this.receivedResp = response
    for (const hook of this.recHooks.filter((hook) => hook.status === response?.status)) {
      guarded(hook.callback, response.response)
    }
  }
}
