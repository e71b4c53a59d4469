// What the built declarations say, checked by `tsc -p test/types`; nothing here is run.

import { expectTypeOf } from "vitest"
import {
  Presence,
  type PresenceChange,
  type PresenceEntry,
  type Push,
  Socket,
  type SocketOptions,
} from "../../dist/index.js"
import { usePresence } from "../../dist/react.js"

interface Meta {
  name: string
}
interface Extra {
  user: { id: number }
}

const socket = new Socket("/socket", { params: async () => ({ token: "t" }), authToken: async () => null })
const channel = socket.channel("room:1", () => ({}))
const presence = new Presence<Meta, Extra>(channel)

// A presence is typed over its metas and its extras.
expectTypeOf(presence.list()).toEqualTypeOf<PresenceEntry<Meta, Extra>[]>()
expectTypeOf(presence.list((key, { metas, user }) => [key, metas[0].name, user.id] as const)).toEqualTypeOf<
  (readonly [string, string, number])[]
>()
expectTypeOf(presence.get("ann")).toEqualTypeOf<PresenceEntry<Meta, Extra> | undefined>()
expectTypeOf(presence.list()[0].metas[0].phx_ref).toEqualTypeOf<string>()
expectTypeOf(new Presence(channel).list()[0].metas[0].anything).toBeAny()

// @types/phoenix has no `undefined` here, though the first device of a key has no presence before it.
presence.onJoin((_key, current) => {
  expectTypeOf(current).toEqualTypeOf<PresenceEntry<Meta, Extra> | undefined>()
  // @ts-expect-error it may be undefined
  current.metas
})
presence.onLeave((_key, current) => expectTypeOf(current.metas[0].name).toEqualTypeOf<string>())
presence.subscribe((changes) => {
  expectTypeOf(changes).toEqualTypeOf<PresenceChange<Meta, Extra>[]>()
  for (const change of changes) {
    if (change.kind === "updated") {
      expectTypeOf(change.before).toExtend<PresenceEntry<Meta, Extra>>()
    }
    // @ts-expect-error somebody who has joined may not have been there
    change.before.metas
  }
})
expectTypeOf(presence.subscribe(() => {})).toEqualTypeOf<() => void>()

// A push is awaited, or listened to; its reply is `any` unless told.
const push = channel.push<{ id: number }, { reason: string }>("new", {})
push.receive("ok", ({ id }) => expectTypeOf(id).toEqualTypeOf<number>())
push.receive("error", ({ reason }) => expectTypeOf(reason).toEqualTypeOf<string>())
expectTypeOf(push.receive("timeout", () => {})).toEqualTypeOf<Push<{ id: number }, { reason: string }>>()
export const awaited = async () => {
  expectTypeOf(await push).toEqualTypeOf<{ id: number }>()
  expectTypeOf(await channel.push("any")).toBeAny()
}

// Events of one's own are named both or not at all.
new Presence(channel, { events: { state: "state", diff: "diff" } })
// @ts-expect-error without the name of the diffs
new Presence(channel, { events: { state: "state" } })

export const options: SocketOptions = { transport: WebSocket, longPollFallbackMs: 1, jitter: 0.5 }
// @ts-expect-error a number
new Socket("/socket", { timeout: "10" })
// @ts-expect-error no such option
new Socket("/socket", { timeOut: 10 })
// @ts-expect-error the event is a string
channel.push(7)

export const Count = () => {
  expectTypeOf(usePresence(presence)).toEqualTypeOf<readonly PresenceEntry<Meta, Extra>[]>()
  expectTypeOf(usePresence(presence, ({ size }) => size)).toEqualTypeOf<number>()
  expectTypeOf(usePresence(null)).toExtend<readonly unknown[]>()
}
