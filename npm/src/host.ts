import { Channel, ENGINE_READS } from "./channel.js"
import { type Machine, machine as newMachine, readText, writeText } from "./engine.js"
import { Mirror } from "./mirror.js"
import type { Presence } from "./presence.js"

export type Step = [kind: 0 | 1, key: string, current: any, other: any]

/** What the machine says of a payload it applied. */
const SYNCED = 1
const STEPS = 2

const STATE = 0
const DIFF = 1

/** Where a presence lives in the engine, and how payloads get there. */
export class Host {
  readonly mirror: Mirror
  readonly machine: Machine
  readonly handle: number
  readonly #presence: Presence
  /** Whether the channel has joined anew without the machine's knowing. */
  joinedAnew = (): boolean => false
  /** What the last frame did, until its callbacks are called. */
  #due: { steps: Step[]; synced: boolean } | null = null

  constructor(machine: Machine, handle: number, presence: Presence) {
    this.machine = machine
    this.handle = handle
    this.#presence = presence
    this.mirror = new Mirror(machine, handle)
  }

  wantSteps(): void {
    this.machine.presence_want_steps(this.handle)
  }

  isPending(): boolean {
    return this.joinedAnew() || this.machine.presence_is_pending(this.handle)
  }

  pendingDiffs(): any[] {
    const length = this.machine.presence_pending(this.handle)
    return JSON.parse(readText(this.machine.text_ptr(), length))
  }

  /** The engine has read a frame; `flags` says what that did. */
  prepare(flags: number): void {
    this.mirror.stale = true
    this.#due = { steps: flags & STEPS ? this.#steps() : [], synced: (flags & SYNCED) !== 0 }
  }

  /** The frame's turn among the channel's callbacks. */
  deliver(): void {
    const due = this.#due
    this.#due = null
    if (due !== null) {
      this.#presence.fire(due.steps, due.synced)
    }
  }

  /** A payload that did not come through the engine. */
  sync(kind: number, payload: any, joinRef: number, answered: boolean): void {
    const length = writeText(this.machine, JSON.stringify(payload))
    this.prepare(this.machine.presence_sync(performance.now(), this.handle, kind, length, joinRef, answered))
    this.deliver()
  }

  #steps(): Step[] {
    const length = this.machine.presence_steps(this.handle)
    return JSON.parse(readText(this.machine.text_ptr(), length))
  }
}

/** The callbacks that a presence registers with its channel. */
const callbackOf = (host: Host, sync: (payload: any) => void) => {
  const callback = (payload: any): void => sync(payload)
  return Object.assign(callback, { [ENGINE_READS]: () => host.deliver() })
}

/** Makes room for a presence in the engine, and has its payloads brought there. */
export const hostOf = (channel: any, state: string, diff: string, presence: Presence): Host =>
  channel instanceof Channel ? ownHost(channel, state, diff, presence) : foreignHost(channel, state, diff, presence)

const ownHost = (channel: Channel, state: string, diff: string, presence: Presence): Host => {
  const { driver } = channel.socket
  const host = new Host(driver.machine, driver.machine.presence(channel.handle, state, diff), presence)
  driver.attach(host, channel, state, diff)
  const sync = (kind: number) => (payload: any) => {
    host.sync(kind, payload, driver.machine.join_ref(channel.handle), channel.isJoined())
  }
  channel.on(state, callbackOf(host, sync(STATE)))
  channel.on(diff, callbackOf(host, sync(DIFF)))
  return host
}

/** The machine of the presences whose channels are somebody else's. */
let shared: Machine | undefined
let forgotten: FinalizationRegistry<number> | undefined

const foreignHost = (channel: any, state: string, diff: string, presence: Presence): Host => {
  shared ??= newMachine({}, "2.0.0")
  const handle = shared.presence(0, state, diff)
  const host = new Host(shared, handle, presence)
  forgotten ??= new FinalizationRegistry((handle) => shared?.presence_release(handle))
  forgotten.register(host, handle)
  // Joins are told apart by numbers here; nobody says whether one is answered but its state.
  let join = { ref: undefined as unknown, number: 0 }
  host.joinedAnew = () => channel.joinRef() !== join.ref
  const sync = (kind: number) => (payload: any) => {
    const ref = channel.joinRef()
    if (ref !== join.ref) {
      join = { ref, number: join.number + 1 }
    }
    host.sync(kind, payload, join.number, channel.state === undefined || channel.state === "joined")
  }
  channel.on(state, sync(STATE))
  channel.on(diff, sync(DIFF))
  return host
}
