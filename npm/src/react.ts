// Hooks for React. They use the classes of the socket they are given, so that they go with any entry of the package.

import { type DependencyList, useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react"
import type { Channel } from "./channel.js"
import type { Presence } from "./presence.js"
import type { Socket } from "./socket.js"
import type { PresenceEntry } from "./types.js"

/** What a selector of `usePresence` may ask. */
export type PresenceView<Meta = any, Extra = {}> = Pick<
  Presence<Meta, Extra>,
  "list" | "getSnapshot" | "get" | "size" | "status"
>

/** Something that components share, and that ends when none has used it for a turn of the event loop. */
interface Shared<T> {
  value: T
  users: number
  end: () => void
}

/** StrictMode, and moving a component, let go and take again at once: that must not close anything. */
const use = (shared: Shared<unknown>): (() => void) => {
  shared.users++
  return () => {
    shared.users--
    setTimeout(() => endUnused(shared), 0)
  }
}

const endUnused = (shared: Shared<unknown>): void => {
  if (shared.users === 0) {
    shared.users = -1
    shared.end()
  }
}

const channels = /* @__PURE__ */ new WeakMap<Socket, Map<string, Shared<Channel>>>()

/**
 * The socket that `create` makes, connected while the component is mounted; null before, as on a server. It is made
 * anew when `deps` change.
 *
 * ```tsx
 * const socket = useSocket(() => new Socket("/socket", { params: { token } }), [token])
 * ```
 */
export const useSocket = (create: () => Socket, deps: DependencyList = []): Socket | null => {
  const [socket, setSocket] = useState<Socket | null>(null)
  const kept = useRef<{ shared: Shared<Socket>; deps: DependencyList } | null>(null)
  useEffect(() => {
    let shared = kept.current?.shared
    if (shared === undefined || shared.users < 0 || !isSame(kept.current!.deps, deps)) {
      const made = create()
      const end = () => {
        // They would end after it, when there is no connection left to say so.
        channels.get(made)?.forEach(endUnused)
        made.disconnect()
      }
      shared = { value: made, users: 0, end }
      kept.current = { shared, deps }
      made.connect()
    }
    setSocket(shared.value)
    return use(shared)
  }, deps)
  return socket
}

/**
 * The channel of `topic`, joined while a component uses it; null before, and while `socket` or `topic` is null.
 * Components that use the same topic of the same socket share one channel, which is joined with the `params` of the
 * first. Its presences are followed from the start, so that `usePresence` may come later.
 */
export const useChannel = (
  socket: Socket | null,
  topic: string | null,
  params?: object | (() => object),
): Channel | null => {
  const [channel, setChannel] = useState<Channel | null>(null)
  useEffect(() => {
    if (socket === null || topic === null) {
      setChannel(null)
      return
    }
    const shared = sharedChannel(socket, topic, params)
    setChannel(shared.value)
    return use(shared)
  }, [socket, topic])
  // Until the effect has run it is still that of before.
  return channel?.socket === socket && channel?.topic === topic ? channel : null
}

const sharedChannel = (socket: Socket, topic: string, params: object | undefined): Shared<Channel> => {
  const topics = channels.get(socket) ?? new Map<string, Shared<Channel>>()
  channels.set(socket, topics)
  let shared = topics.get(topic)
  if (shared === undefined || (shared.value.state === "closed" && shared.value.joinedOnce)) {
    const channel = socket.channel(topic, params)
    const made: Shared<Channel> = {
      value: channel,
      users: 0,
      end: () => {
        if (topics.get(topic) === made) {
          topics.delete(topic)
        }
        channel.leave()
      },
    }
    topics.set(topic, made)
    channel.presence()
    channel.join()
    shared = made
  }
  return shared
}

const NOBODY: readonly never[] = []

/** What there is to see before there is a channel, and on a server. */
const EMPTY: PresenceView<any, any> = {
  list: () => [],
  getSnapshot: () => NOBODY,
  get: () => undefined,
  size: 0,
  status: "syncing",
}

const everybody = (presence: PresenceView<any, any>) => presence.getSnapshot()

/**
 * What `selector` makes of the presences of `channel`; without it all of them, in order. The component renders anew
 * only when that changes: arrays and plain objects count as the same when their elements are, and presences that did
 * not change keep their identity.
 *
 * A channel's presences are followed from the first `usePresence` on, or from `useChannel`; for a channel that you
 * have joined before, give the `Presence` that you made for it.
 *
 * ```tsx
 * const count = usePresence(channel, (presence) => presence.size)
 * const people = usePresence(channel, (presence) => presence.list((id) => id))
 * ```
 */
export function usePresence<Meta = any, Extra = {}>(
  channel: Channel | Presence<Meta, Extra> | null,
): readonly PresenceEntry<Meta, Extra>[]
export function usePresence<T, Meta = any, Extra = {}>(
  channel: Channel | Presence<Meta, Extra> | null,
  selector: (presence: PresenceView<Meta, Extra>) => T,
): T
export function usePresence(
  channel: Channel | Presence<any, any> | null,
  selector: (presence: PresenceView<any, any>) => unknown = everybody,
): unknown {
  /** What was shown last: a render that is thrown away must not change it. */
  const rendered = useRef<{ value: unknown } | null>(null)
  const presence = channel === null ? null : presenceOf(channel)
  const subscribe = useCallback(
    (changed: () => void) => (presence === null ? () => {} : presence.watch(changed)),
    [presence],
  )
  // The selector may make new objects each time, but must give the same ones while nothing happens.
  let seen: { view: PresenceView<any, any>; revision: number; value: unknown } | null = null
  const select = (view: PresenceView<any, any>, revision: number): unknown => {
    if (seen?.view !== view || seen.revision !== revision) {
      const value = selector(view)
      const before = seen ?? rendered.current
      seen = { view, revision, value: before !== null && isSame(before.value, value) ? before.value : value }
    }
    return seen.value
  }
  const value = useSyncExternalStore(
    subscribe,
    () => (presence === null ? select(EMPTY, 0) : select(presence, presence.revision)),
    () => select(EMPTY, 0),
  )
  useEffect(() => {
    rendered.current = { value }
  }, [value])
  return value
}

const presenceOf = (channel: Channel | Presence<any, any>): Presence<any, any> =>
  "getSnapshot" in channel ? channel : channel.presence()

const isSame = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) {
    return true
  }
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) {
    return false
  }
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key], b[key]))
  )
}

const isPlain = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) {
    return false
  }
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
}
