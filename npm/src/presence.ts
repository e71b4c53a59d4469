import { guarded } from "./guard.js"
import { type Host, hostOf } from "./host.js"
import { list, syncDiff, syncState } from "./sync.js"
import type { Step } from "./told.js"
import type {
  OnJoin,
  OnLeave,
  OnUpdate,
  PresenceChange,
  PresenceChannel,
  PresenceEntry,
  PresenceState,
  PresenceStatus,
} from "./types.js"

export interface PresenceOptions {
  /** The names of the events that carry the state and the diffs. */
  events?: { state: string; diff: string }
}

/** One registration: the same function may be registered twice. */
interface Registered<F> {
  callback: F
}

const nothing = (): void => {}

// As @types/node has them, for programs whose TypeScript or whose `lib` is older than `using`.
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
  interface Disposable {
    [Symbol.dispose](): void
  }
}

/**
 * Who is there, on a channel. `Meta` are the fields of each meta beside its refs, `Extra` what the server's `fetch`
 * puts beside `metas`; both are `any` unless told.
 */
export class Presence<Meta = any, Extra = {}> {
  channel: PresenceChannel
  /** @internal Set by `onJoin` and its siblings, which tell the engine that somebody listens. */
  caller: { onJoin: OnJoin<Meta, Extra>; onLeave: OnLeave<Meta, Extra>; onSync: () => unknown } = {
    onJoin: nothing,
    onLeave: nothing,
    onSync: nothing,
  }
  readonly #host: Host
  readonly #subscribers = new Set<Registered<(changes: PresenceChange<Meta, Extra>[]) => unknown>>()
  readonly #statusListeners = new Set<Registered<(status: PresenceStatus) => unknown>>()
  readonly #watchers = new Set<Registered<() => void>>()
  /** @internal Grows whenever the roster or the status may have changed. */
  revision = 0
  #onUpdate: OnUpdate<Meta, Extra> | null = null
  #state: { version: number; value: any } | null = null
  #snapshot: { version: number; value: any[] } | null = null
  #destroyed = false

  static {
    if (Symbol.dispose) {
      Object.defineProperty(Presence.prototype, Symbol.dispose, {
        value(this: Presence) {
          this.destroy()
        },
        configurable: true,
        writable: true,
      })
    }
  }

  /** @internal For Vue and Alpine, whose proxies have no private fields: it is to be left as it is. */
  get __v_skip(): true {
    return true
  }

  /**
   * Follows the presences of `channel`: of this package, of phoenix.js, or anything with `on` and `joinRef`.
   * @throws TypeError if it is none.
   */
  constructor(channel: PresenceChannel, options: PresenceOptions = {}) {
    if (typeof channel?.on !== "function") {
      throw new TypeError("new Presence(channel): the channel must have the methods `on` and `joinRef`")
    }
    const { state, diff } = options.events || { state: "presence_state", diff: "presence_diff" }
    this.channel = channel
    this.#host = hostOf(channel, state, diff, {
      fire: (steps, changes, synced) => this.#fire(steps, changes, synced),
      statusChanged: (status) => this.#statusChanged(status),
    })
  }

  /** `callback(key, current, joined)`: without `current` it is the first device of that key. */
  onJoin(callback: OnJoin<Meta, Extra>): void {
    this.caller.onJoin = callback
    this.#host.wantSteps()
  }

  /** `callback(key, current, left)`: when `current` has no metas left, that key is gone. */
  onLeave(callback: OnLeave<Meta, Extra>): void {
    this.caller.onLeave = callback
    this.#host.wantSteps()
  }

  /** `callback()`: the roster was brought up to date. */
  onSync(callback: () => unknown): void {
    this.caller.onSync = callback
  }

  /**
   * `callback(key, before, after)`: metas came in exchange for others, or what is beside them changed. Called
   * before `onSync`. One callback, as with `onJoin` and its siblings.
   */
  onUpdate(callback: OnUpdate<Meta, Extra>): void {
    this.#onUpdate = callback
    this.#wantChanges()
  }

  /**
   * Calls `callback` with what each frame did, one change a presence, after `onSync`; frames that changed nothing
   * are not told. Any number may listen. Returns what ends it. Bound, as `getSnapshot` is: React's
   * `useSyncExternalStore` takes the two as they are.
   */
  subscribe = (callback: (changes: PresenceChange<Meta, Extra>[]) => unknown): (() => void) => {
    const end = register(this.#subscribers, callback, () => this.#wantChanges())
    this.#wantChanges()
    return end
  }

  /** Calls `callback` whenever `status` changes. Returns what ends it. */
  onStatus(callback: (status: PresenceStatus) => unknown): () => void {
    return register(this.#statusListeners, callback)
  }

  /** @internal Calls `callback` whenever the roster or the status may have changed, and builds nothing for it. */
  watch(callback: () => void): () => void {
    return register(this.#watchers, callback)
  }

  /** What `by(key, presence)` makes of each presence; without `by` the presences. A new array at each call. */
  list(): PresenceEntry<Meta, Extra>[]
  list<T>(by: (key: string, presence: PresenceEntry<Meta, Extra>) => T): T[]
  list(by?: (key: string, presence: any) => unknown): any[] {
    const items = this.#host.mirror.items()
    if (!by) {
      return items.slice()
    }
    const keys = this.#host.mirror.keys()
    const out = new Array(items.length)
    for (let at = 0; at < out.length; at++) {
      out[at] = by(keys[at], items[at])
    }
    return out
  }

  /** The presences in one array, which stays the same until one changes; those that did not keep their identity. */
  getSnapshot = (): readonly PresenceEntry<Meta, Extra>[] => {
    const { mirror } = this.#host
    const items = mirror.items()
    if (this.#snapshot?.version !== mirror.version) {
      this.#snapshot = { version: mirror.version, value: items.slice() }
    }
    return this.#snapshot!.value
  }

  /** The presence of this key. */
  get(key: string): PresenceEntry<Meta, Extra> | undefined {
    // As a property is, which many take keys for.
    return this.#host.get(String(key))
  }

  /** How many keys there are. */
  get size(): number {
    return this.#host.size
  }

  /** How far the roster can be relied on. */
  get status(): PresenceStatus {
    return this.#host.status
  }

  /** The presences by their keys. */
  get state(): PresenceState<Meta, Extra> {
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
  get pendingDiffs(): unknown[] {
    return this.#host.pendingDiffs()
  }

  /** Whether the state of the present join has not come yet. */
  inPendingSyncState(): boolean {
    return this.#host.isPending()
  }

  /** Stops following the channel. Nobody is told of anything any more; the last roster stays. */
  destroy(): void {
    if (!this.#destroyed) {
      this.#destroyed = true
      this.#host.release()
      this.#subscribers.clear()
      this.#statusListeners.clear()
      this.#watchers.clear()
    }
  }

  /** `destroy`, for `using`. */
  declare [Symbol.dispose]: () => void

  static syncState = syncState
  static syncDiff = syncDiff
  static list = list

  #wantChanges(): void {
    this.#host.wantChanges(this.#onUpdate !== null || this.#subscribers.size > 0)
  }

  /** What a frame did, in phoenix.js's order, and then what phoenix.js does not tell. */
  #fire(steps: Step[], changes: PresenceChange<Meta, Extra>[], synced: boolean): void {
    this.revision++
    const { onJoin, onLeave, onSync } = this.caller
    for (const { kind, key, current, other } of steps) {
      this.#call(kind === 0 ? onJoin : onLeave, key, current ?? undefined, other)
    }
    for (const { kind, key, before, after } of changes) {
      if (kind === "updated" && this.#onUpdate !== null) {
        this.#call(this.#onUpdate, key, before, after)
      }
    }
    if (synced) {
      this.#call(onSync)
      if (changes.length > 0) {
        tell(this.#subscribers, changes)
      }
      tell(this.#watchers)
    }
  }

  #statusChanged(status: PresenceStatus): void {
    this.revision++
    if (!this.#destroyed) {
      tell(this.#statusListeners, status)
      tell(this.#watchers)
    }
  }

  #call<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void {
    if (!this.#destroyed) {
      guarded(callback, ...args)
    }
  }
}

const register = <F>(listeners: Set<Registered<F>>, callback: F, after?: () => void): (() => void) => {
  if (typeof callback !== "function") {
    throw new TypeError(`the callback must be a function, but is ${String(callback)}`)
  }
  const registered = { callback }
  listeners.add(registered)
  return () => {
    if (listeners.delete(registered)) {
      after?.()
    }
  }
}

/** Calls those who listen now, but for those that one of them takes off. */
const tell = <A extends unknown[]>(listeners: Set<Registered<(...args: A) => unknown>>, ...args: A): void => {
  if (listeners.size === 0) {
    return
  }
  for (const registered of [...listeners]) {
    if (listeners.has(registered)) {
      guarded(registered.callback, ...args)
    }
  }
}
