import { Channel, PRESENCE, type PresenceCallback } from "./channel.js"
import { Ask, ask, checked, type Machine, machine as newMachine, readText, writeText } from "./engine.js"
import { Mirror } from "./mirror.js"
import { readChanges, readSteps, type Step, turnTo } from "./told.js"
import type { PresenceChange, PresenceStatus } from "./types.js"

const NONE: never[] = []

/** What a frame did, until its callbacks are called. */
interface Due {
  steps: Step[]
  changes: PresenceChange<any, any>[]
  synced: boolean
}

/** Whom a host tells. */
export interface Listener {
  fire(steps: Step[], changes: PresenceChange<any, any>[], synced: boolean): void
  statusChanged(status: PresenceStatus): void
}

/** What the machine says of a payload it applied. */
const SYNCED = 1
const STEPS = 2
const CHANGES = 4
const RESYNC = 8

const STATUSES = ["syncing", "synced", "stale"] as const

const STATE = 0
const DIFF = 1
const SAME_STATE = 2

/** Where a presence lives in the engine, and how payloads get there. */
export class Host {
  readonly mirror: Mirror
  readonly machine: Machine
  readonly handle: number
  readonly #listener: Listener
  #status: PresenceStatus = "syncing"
  /** Stops the payloads from coming, and frees the room in the engine. */
  release = (): void => {}
  /** The machine's time; nothing waits in that of somebody else's channels. */
  now = (): number => 0
  /** What the engine's own work for this presence leaves to do. */
  afterwards = (): void => {}
  #detached = false
  /** What waited for a state at the end. */
  #last = { pending: true, diffs: [] as any[] }
  /** Whether the channel has joined anew without the machine's knowing. */
  joinedAnew = (): boolean => false
  /** One for all frames; see the agenda's batch. */
  readonly #due: Due = { steps: NONE, changes: NONE, synced: false }
  #isDue = false

  constructor(machine: Machine, handle: number, listener: Listener) {
    this.machine = machine
    this.handle = handle
    this.#listener = listener
    this.mirror = new Mirror(machine, handle)
  }

  wantSteps(): void {
    ask(this.machine, Ask.PresenceWantSteps, this.handle)
  }

  wantChanges(wanted: boolean): void {
    ask(this.machine, Ask.PresenceWantChanges, this.handle, Number(wanted))
  }

  get size(): number {
    return this.#detached ? this.mirror.items().length : ask(this.machine, Ask.PresenceSize, this.handle)
  }

  get(key: string): any {
    // Only well-formed strings pass into the engine as they are.
    if (this.#detached || !isWellFormed(key)) {
      return this.mirror.items()[this.mirror.keys().indexOf(key)]
    }
    return this.mirror.at(ask(this.machine, Ask.PresenceOrder, this.handle, writeText(key)))
  }

  get status(): PresenceStatus {
    if (!this.#detached) {
      const status = STATUSES[ask(this.machine, Ask.PresenceStatus, this.handle)]
      return status === "synced" && this.joinedAnew() ? "stale" : status
    }
    return this.#status
  }

  /** Tells of the status, if it is another than the last told. */
  tellStatus(): void {
    const { status } = this
    if (status !== this.#status) {
      this.#status = status
      this.#listener.statusChanged(status)
    }
  }

  /** The engine is about to forget the roster: what is known of it stays. */
  detach(): void {
    const { status } = this
    this.#last = { pending: this.isPending(), diffs: this.pendingDiffs() }
    this.mirror.detach()
    this.#detached = true
    const last = status === "synced" ? "stale" : status
    if (last !== this.#status) {
      this.#status = last
      this.#listener.statusChanged(last)
    }
  }

  isPending(): boolean {
    if (this.#detached) {
      return this.#last.pending
    }
    return this.joinedAnew() || ask(this.machine, Ask.PresenceIsPending, this.handle) === 1
  }

  pendingDiffs(): any[] {
    if (this.#detached) {
      return this.#last.diffs
    }
    const length = ask(this.machine, Ask.PresencePending, this.handle)
    return JSON.parse(readText(length))
  }

  /** The engine has read a frame; `flags` says what that did. */
  prepare(flags: number): void {
    this.mirror.stale = true
    this.#isDue = true
    this.#due.steps = flags & STEPS ? this.#steps((flags & RESYNC) !== 0) : NONE
    this.#due.changes = flags & CHANGES ? this.#changes((flags & RESYNC) !== 0) : NONE
    this.#due.synced = (flags & SYNCED) !== 0
  }

  /** The frame's turn among the channel's callbacks. */
  deliver(): void {
    if (this.#isDue) {
      this.#isDue = false
      const { steps, changes, synced } = this.#due
      this.#due.steps = NONE
      this.#due.changes = NONE
      this.#listener.fire(steps, changes, synced)
    }
  }

  /** A payload that did not come through the engine; of `SAME_STATE` it need not know. */
  sync(kind: number, payload: any, join: number, isOfJoin: boolean): void {
    const length = kind === SAME_STATE ? 0 : writeText(JSON.stringify(payload))
    const now = this.now()
    this.prepare(checked(this.machine.presence_sync(now, this.handle, kind, length, join, isOfJoin)))
    this.deliver()
    this.afterwards()
  }

  #changes(resync: boolean): PresenceChange<any, any>[] {
    turnTo(this.mirror.layouts.read(this.machine.presence_changes(this.handle)))
    return readChanges(resync ? "state" : "diff")
  }

  /** `many`: that nearly everybody joins is likely. Then those on the list are not parsed twice, but copied. */
  #steps(many: boolean): Step[] {
    if (many) {
      this.mirror.items()
      try {
        return this.#readSteps(true)
      } catch (error) {
        // Nested too deeply to be copied.
        if (!(error instanceof RangeError)) {
          throw error
        }
      }
    }
    return this.#readSteps(false)
  }

  #readSteps(byOrder: boolean): Step[] {
    turnTo(this.mirror.layouts.read(this.machine.presence_steps(this.handle, byOrder)))
    return readSteps(this.mirror)
  }
}

/** The callbacks that a presence registers with its channel. Messages that the user makes count as the join's. */
const callbackOf = (host: Host, sync: PresenceCallback["sync"]) => {
  const callback = (payload: any): void => sync(payload, true)
  return Object.assign(callback, { [PRESENCE]: { deliver: () => host.deliver(), sync } })
}

/** Makes room for a presence in the engine, and has its payloads brought there. */
export const hostOf = (channel: any, state: string, diff: string, listener: Listener): Host =>
  channel instanceof Channel
    ? ownHost(channel, state, diff, listener)
    : foreignHost(channel, state, diff, listener)

const ownHost = (channel: Channel, state: string, diff: string, listener: Listener): Host => {
  const { driver } = channel.socket
  const handle = presenceOf(driver.machine, channel.handle, state, diff)
  const host = new Host(driver.machine, handle, listener)
  host.now = () => driver.now()
  driver.attach(host, channel, state, diff)
  const sync = (kind: number) => (payload: any, hasJoinRef: boolean) =>
    host.sync(kind, payload, 0, hasJoinRef)
  const stateRef = channel.on(state, callbackOf(host, sync(STATE)))
  const diffRef = channel.on(diff, callbackOf(host, sync(DIFF)))
  // What is to be done must not come between this frame's callbacks.
  host.afterwards = () => queueMicrotask(() => driver.drain())
  host.release = () => {
    channel.unbind([stateRef, diffRef])
    driver.detach(host)
  }
  return host
}

/** The machine of the presences whose channels are somebody else's. */
let shared: Machine | undefined
let forgotten: FinalizationRegistry<number> | undefined

const foreignHost = (channel: any, state: string, diff: string, listener: Listener): Host => {
  shared ??= newMachine({ timeout: 0, heartbeatIntervalMs: 0 }, "2.0.0")
  const machine = shared
  const handle = presenceOf(machine, 0, state, diff)
  const host = new Host(machine, handle, listener)
  forgotten ??= new FinalizationRegistry((handle) => ask(machine, Ask.PresenceRelease, handle))
  forgotten.register(host, handle, host)
  // Joins are told apart by numbers here; nobody says whether one is answered but its state.
  let join = { ref: undefined as unknown, number: 0 }
  host.joinedAnew = () => !channel.joinRef() || channel.joinRef() !== join.ref
  const sync = (kind: number) => (payload: any) => {
    const ref = channel.joinRef()
    const before = join
    if (ref !== join.ref) {
      join = { ref, number: join.number + 1 }
    }
    try {
      const isOfJoin = channel.state === undefined || channel.state === "joined"
      const isKnown = kind === STATE && host.mirror.says(payload)
      host.sync(isKnown ? SAME_STATE : kind, payload, join.number, isOfJoin)
    } catch (error) {
      // It was no state or diff: nothing has happened.
      join = before
      throw error
    }
  }
  host.afterwards = () => host.tellStatus()
  const refs = [state, diff].map((event, kind) => [event, channel.on(event, sync(kind))])
  host.release = () => {
    for (const [event, ref] of refs) {
      channel.off?.(event, ref)
    }
    host.detach()
    forgotten?.unregister(host)
    ask(machine, Ask.PresenceRelease, handle)
  }
  return host
}

const presenceOf = (machine: Machine, channel: number, state: string, diff: string): number => {
  const first = writeText(state)
  return ask(machine, Ask.Presence, channel, writeText(state + diff), first)
}

const isWellFormed = (key: string): boolean => !/\p{Surrogate}/u.test(key)
