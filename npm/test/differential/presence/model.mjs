// phoenix.js's Presence, driven so that it does on purpose what this package does on purpose otherwise. The numbers
// are those of the README's list. Rosters, orders, arguments and everything else stay phoenix.js's own.

import { Presence as Phoenix } from "phoenix"

const copy = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

export class ModelPresence {
  /** Calls user code; what it throws is reported and harms nothing (4). */
  #guarded
  /** Whether the frame under way names no join, while one is unanswered. */
  #isEarly
  #channel
  #state
  #diff
  #real
  /** The join that the diffs held back belong to. */
  #heldJoin = null
  /** The calls that the frame under way is due, once it is its turn. */
  #due = null
  events
  /** Whether payloads reach this presence by its callbacks only, as they do where frames are not the engine's to read. */
  late
  caller = { onJoin: () => {}, onLeave: () => {}, onSync: () => {} }

  constructor(channel, options, { guarded, late, isEarly }) {
    this.#guarded = guarded
    this.#isEarly = isEarly
    this.#channel = channel
    this.late = late
    const handlers = []
    this.#real = new Phoenix(
      { on: (_event, handler) => handlers.push(handler), joinRef: () => channel.joinRef() },
      options,
    )
    const [state, diff] = handlers
    this.#state = state
    this.#diff = diff
    this.events = options.events ?? { state: "presence_state", diff: "presence_diff" }
    channel.on(this.events.state, (payload) => this.#turn("state", payload))
    channel.on(this.events.diff, (payload) => this.#turn("diff", payload))
  }

  /** A frame of this presence's arrives. It is applied as a whole before anything is called (5). */
  read(event, payload) {
    this.#feed(event === this.events.state ? "state" : "diff", payload)
  }

  #turn(kind, payload) {
    if (this.#due === null) {
      this.#guarded(() => this.#feed(kind, payload))
    }
    const { onJoin, onLeave, onSync } = this.caller
    const callbacks = { onJoin, onLeave, onSync }
    const due = this.#due ?? []
    this.#due = null
    for (const [name, ...args] of due) {
      this.#guarded(() => callbacks[name](...args))
    }
  }

  #feed(kind, received) {
    // phoenix.js changes the payload, which other presences and listeners of the channel are given too (3).
    const payload = copy(received)
    const due = []
    const real = this.#real
    if (kind === "state" && this.#isEarly()) {
      // The state of an earlier join (1).
      this.#due = []
      return
    }
    // What is no state or diff is refused, and nothing has changed then. phoenix.js throws, sometimes half-way.
    check(kind, received)
    for (const name of ["onJoin", "onLeave", "onSync"]) {
      // The arguments are the caller's to keep (3).
      real.caller[name] = (...args) => due.push([name, ...args.map(copy)])
    }
    if (kind === "state") {
      this.#feedState(payload)
    } else {
      this.#feedDiff(payload)
    }
    this.#due = due
  }

  #feedDiff(payload) {
    const join = this.#channel.joinRef() || null
    if (this.#real.inPendingSyncState()) {
      if (join !== this.#heldJoin) {
        this.#real.pendingDiffs = []
        this.#heldJoin = join
      }
      // While a join is unanswered, what arrives is of the old one (1).
      if (join !== null && this.#channel.state !== "joined") {
        return
      }
    }
    this.#diff(payload)
  }

  #feedState(payload) {
    const real = this.#real
    // Diffs of an earlier join are dropped (1).
    if ((this.#channel.joinRef() || null) !== this.#heldJoin) {
      real.pendingDiffs = []
    }
    const { joins, refresh } = refresher(payload)
    const { onJoin, onLeave } = real.caller
    let inState = true
    real.caller.onJoin = (key, ...args) => {
      joins(key)
      onJoin(key, ...args)
    }
    real.caller.onLeave = (key, current, left) => {
      if (inState) {
        refresh(key, current)
      }
      onLeave(key, current, left)
    }
    const held = real.pendingDiffs
    held.forEach = (apply) => {
      inState = false
      refreshAll(real.state, refresh)
      Array.prototype.forEach.call(held, apply)
    }
    this.#state(payload)
  }

  onJoin(callback) {
    this.caller.onJoin = callback
  }
  onLeave(callback) {
    this.caller.onLeave = callback
  }
  onSync(callback) {
    this.caller.onSync = callback
  }
  list(by) {
    return this.#real.list(by)
  }
  get state() {
    return this.#real.state
  }
  get pendingDiffs() {
    return this.#real.pendingDiffs
  }
  inPendingSyncState() {
    return this.#real.inPendingSyncState()
  }
}

/**
 * A state's extras replace older ones even where no ref changed (2): before any leave is told of, and before the diffs
 * that waited. A presence that joined has them already.
 */
const refresher = (state) => {
  const extras = copy(state)
  const joined = new Set()
  const refresh = (key, current) => {
    if (Object.hasOwn(extras, key) && !joined.has(key)) {
      const { metas } = current
      for (const name of Object.getOwnPropertyNames(current)) {
        delete current[name]
      }
      for (const [name, value] of Object.entries(extras[key])) {
        Object.defineProperty(current, name, { value, writable: true, enumerable: true, configurable: true })
      }
      current.metas = metas
    }
  }
  return { joins: (key) => joined.add(key), refresh }
}

const refreshAll = (state, refresh) => {
  for (const [key, current] of Object.entries(state)) {
    refresh(key, current)
  }
}

/** The static functions, with the same differences. */
export const modelStatics = {
  syncState(current, received, onJoin, onLeave) {
    const { joins, refresh } = refresher(received)
    const due = []
    const state = Phoenix.syncState(
      current,
      copy(received),
      (key, ...args) => {
        joins(key)
        due.push([onJoin, key, ...args.map(copy)])
      },
      (key, current, left) => {
        refresh(key, current)
        due.push([onLeave, ...[key, current, left].map(copy)])
      },
    )
    refreshAll(state, refresh)
    return called(state, due)
  },
  syncDiff(current, diff, onJoin, onLeave) {
    const due = []
    const later =
      (callback) =>
      (...args) =>
        due.push([callback, ...args.map(copy)])
    // phoenix.js takes metas out of the presences that it was given (3).
    const state = Object.getPrototypeOf(current) === null ? current : toBare(current)
    for (const key of Object.keys(state)) {
      state[key] = copy(state[key])
    }
    return called(Phoenix.syncDiff(state, diff, later(onJoin), later(onLeave)), due)
  },
  list: (...args) => Phoenix.list(...args),
}

const toBare = (state) => {
  const bare = Object.create(null)
  for (const [key, value] of Object.entries(state)) {
    bare[key] = value
  }
  return bare
}

/** Callbacks run once all is done (5). */
const called = (state, due) => {
  for (const [callback, ...args] of due) {
    callback?.(...args)
  }
  return state
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value)

const checkPresences = (presences) => {
  if (!isObject(presences)) {
    throw new TypeError("no object of presences")
  }
  for (const presence of Object.values(presences)) {
    if (!isObject(presence) || !Array.isArray(presence.metas) || presence.metas.includes(null)) {
      throw new TypeError("no presence")
    }
  }
}

const check = (kind, payload) => {
  if (kind === "state") {
    checkPresences(payload)
  } else if (isObject(payload)) {
    checkPresences(payload.joins)
    checkPresences(payload.leaves)
  } else {
    throw new TypeError("no diff")
  }
}
