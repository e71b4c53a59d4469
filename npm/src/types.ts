// The shapes that the public methods speak of.

/** A meta of a presence: the server's fields, and the refs that tell metas apart. */
export type PresenceMeta<Meta = any> = Meta & {
  phx_ref: string
  /** The ref of the meta that this one replaced. */
  phx_ref_prev?: string
}

/** A presence: one meta for each device or tab, and beside them what the server's `fetch` adds. */
export type PresenceEntry<Meta = any, Extra = {}> = Extra & { metas: PresenceMeta<Meta>[] }

/** Presences by their keys: what `Presence.syncState` takes and gives. */
export type PresenceState<Meta = any, Extra = {}> = Record<string, PresenceEntry<Meta, Extra>>

export interface PresenceDiff<Meta = any, Extra = {}> {
  joins: PresenceState<Meta, Extra>
  leaves: PresenceState<Meta, Extra>
}

/** Without `current` it is the first of its key. */
export type OnJoin<Meta = any, Extra = {}> = (
  key: string,
  current: PresenceEntry<Meta, Extra> | undefined,
  joined: PresenceEntry<Meta, Extra>,
) => unknown

/** When `current` has no metas left, its key is gone. */
export type OnLeave<Meta = any, Extra = {}> = (
  key: string,
  current: PresenceEntry<Meta, Extra>,
  left: PresenceEntry<Meta, Extra>,
) => unknown

export type OnUpdate<Meta = any, Extra = {}> = (
  key: string,
  before: PresenceEntry<Meta, Extra>,
  after: PresenceEntry<Meta, Extra>,
) => unknown

interface ChangeBase<Meta, Extra> {
  key: string
  /** The presence as it was; null if it was not there. */
  before: PresenceEntry<Meta, Extra> | null
  /** The presence as it is; null if it is gone. */
  after: PresenceEntry<Meta, Extra> | null
  /** The metas that came. */
  joined: PresenceMeta<Meta>[]
  /** The metas that went. */
  left: PresenceMeta<Meta>[]
  /** What brought it: a whole state, or a diff. */
  cause: "state" | "diff"
}

/** What a frame as a whole did to one presence: an update is an update, and a ref that was there is no join. */
export type PresenceChange<Meta = any, Extra = {}> = ChangeBase<Meta, Extra> &
  (
    | {
        /** New metas, none lost: its first ones, if `before` is null. */
        kind: "joined"
        after: PresenceEntry<Meta, Extra>
      }
    | {
        /** Metas came in exchange for others, or what is beside the metas changed. */
        kind: "updated"
        before: PresenceEntry<Meta, Extra>
        after: PresenceEntry<Meta, Extra>
      }
    | {
        /** Metas lost, none new: its last ones, if `after` is null. */
        kind: "left"
        before: PresenceEntry<Meta, Extra>
      }
  )

/**
 * How far a roster can be relied on: `syncing` before the first state; `synced`: it is the server's; `stale`: the
 * connection or the join was lost, and it is the last known one.
 */
export type PresenceStatus = "syncing" | "synced" | "stale"

/** What `new Presence` needs of a channel: this package's, phoenix.js's or another's. */
export interface PresenceChannel {
  on(event: string, callback: (payload: any) => void): unknown
  off?(event: string, ref?: any): void
  joinRef(): unknown
  state?: string
}

/** A message as it is on the wire. */
export interface Message<Payload = any> {
  join_ref: string | null
  ref: string | null
  topic: string
  event: string
  payload: Payload
}

/** What a transport sends and receives. */
export type WireFrame = string | ArrayBuffer | ArrayBufferView | Blob

/** The part of `WebSocket` that a transport has to have. */
export interface Transport {
  readonly readyState: number
  /** How much of what was sent is still to go. */
  readonly bufferedAmount?: number
  /** Set by the socket to its option `binaryType`. */
  binaryType?: string
  /** Set by the socket to its option `longpollerTimeout`. */
  timeout?: number
  /** Needs no heartbeats. */
  readonly skipHeartbeat?: boolean
  onopen: ((event: any) => any) | null
  onerror: ((event: any) => any) | null
  onmessage: ((event: any) => any) | null
  onclose: ((event: any) => any) | null
  send(frame: any): void
  close(code?: number, reason?: string): void
}

/** `WebSocket`, `LongPoll`, or a class of yours with the same interface. */
export type TransportClass = new (url: string, protocols?: string[]) => Transport

export type Logger = (kind: string, message: string, data?: any) => void

/** A value, or a function that is asked for it each time. */
export type Closure<T> = T | (() => T)

export type ConnectionState = "connecting" | "open" | "closing" | "closed"

/** Why a socket stopped connecting: see the option `stopOnRefusal`. */
export interface Refusal {
  /** The close code (1008), or the HTTP status where the transport tells it. */
  code: number
}
