import { guarded } from "./guard.js"
import { type Host, hostOf, type Step } from "./host.js"
import { list, syncDiff, syncState } from "./sync.js"

export interface PresenceOptions {
  /** The names of the events that carry the state and the diffs. */
  events?: { state: string; diff: string }
}

type OnChange = (key: string, current: any, presence: any) => unknown

const nothing = (): void => {}

/** Who is there, on a channel. */
export class Presence {
  channel: any
  caller: { onJoin: OnChange; onLeave: OnChange; onSync: () => unknown } = {
    onJoin: nothing,
    onLeave: nothing,
    onSync: nothing,
  }
  readonly #host: Host
  #state: { version: number; value: any } | null = null

  /** Follows the presences of `channel`: of this package, of phoenix.js, or anything with `on` and `joinRef`. */
  constructor(channel: any, options: PresenceOptions = {}) {
    if (typeof channel?.on !== "function") {
      throw new TypeError("new Presence(channel): the channel must have the methods `on` and `joinRef`")
    }
    const { state, diff } = options.events ?? { state: "presence_state", diff: "presence_diff" }
    this.channel = channel
    this.#host = hostOf(channel, state, diff, this)
  }

  /** `callback(key, current, joined)`: without `current` it is the first device of that key. */
  onJoin(callback: OnChange): void {
    this.caller.onJoin = callback
    this.#host.wantSteps()
  }

  /** `callback(key, current, left)`: when `current` has no metas left, that key is gone. */
  onLeave(callback: OnChange): void {
    this.caller.onLeave = callback
    this.#host.wantSteps()
  }

  /** `callback()`: the roster was brought up to date. */
  onSync(callback: () => unknown): void {
    this.caller.onSync = callback
  }

  /** What `by(key, presence)` makes of each presence; without `by` the presences. A new array at each call. */
  list(): any[]
  list<T>(by: (key: string, presence: any) => T): T[]
  list(by?: (key: string, presence: any) => unknown): any[] {
    const items = this.#host.mirror.items()
    if (by === undefined) {
      return items.slice()
    }
    const keys = this.#host.mirror.keys()
    const out = new Array(items.length)
    for (let at = 0; at < out.length; at++) {
      out[at] = by(keys[at], items[at])
    }
    return out
  }

  /** The presences by their keys. */
  get state(): Record<string, any> {
    const { mirror } = this.#host
    const items = mirror.items()
    if (this.#state?.version !== mirror.version) {
      const keys = mirror.keys()
      const value = Object.create(null)
      for (let at = 0; at < items.length; at++) {
        value[keys[at]] = items[at]
      }
      this.#state = { version: mirror.version, value }
    }
    return this.#state!.value
  }

  /** The diffs that wait for the state of the present join. */
  get pendingDiffs(): any[] {
    return this.#host.pendingDiffs()
  }

  /** Whether the state of the present join has not come yet. */
  inPendingSyncState(): boolean {
    return this.#host.isPending()
  }

  static syncState = syncState
  static syncDiff = syncDiff
  static list = list

  /** @internal What a frame did, in phoenix.js's order. */
  fire(steps: Step[], synced: boolean): void {
    const { onJoin, onLeave, onSync } = this.caller
    for (const [kind, key, current, other] of steps) {
      guarded(kind === 0 ? onJoin : onLeave, key, current ?? undefined, other)
    }
    if (synced) {
      guarded(onSync)
    }
  }
}
