// What phoenix.js's Presence never had.

import { describe, expect, it, vi } from "vitest"
import { Presence } from "../../src/index.js"
import { useFakeTimers } from "./both.js"
import { person, reply, room, server } from "./room.js"

useFakeTimers()

describe("who is handed over by a first state", () => {
  it("is a full copy of who is listed", () => {
    const { presence, state } = room()
    const joined: any[] = []
    presence.onJoin((_key, _current, person) => joined.push(person))
    const meta = JSON.parse('{"at":[{"x":1}],"__proto__":{"y":[2]}}')
    state({ ann: person("a", meta, { user: { names: ["Ann"] } }) })
    const [listed] = presence.list() as any[]
    expect(joined).toEqual([listed])
    expect(JSON.stringify(joined)).toBe(JSON.stringify([listed]))
    joined[0].metas[0].at[0].x = 0
    joined[0].user.names.push("Bob")
    expect(presence.list()).toMatchObject([{ metas: [{ at: [{ x: 1 }] }], user: { names: ["Ann"] } }])
  })

  it("may be nested however deeply", () => {
    const { channel, presence } = room()
    const joined: any[] = []
    presence.onJoin((_key, _current, person) => joined.push(person))
    const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`
    const payload = `{"ann":{"metas":[{"phx_ref":"a","nested":${nested}}]}}`
    server().onmessage({ data: `["${channel.joinRef()}",null,"room:1","presence_state",${payload}]` })
    expect(joined.map(({ metas }) => metas[0].phx_ref)).toEqual(["a"])
    const [listed] = presence.list() as any[]
    expect(joined[0].metas[0].nested === listed.metas[0].nested).toBe(false)
  })
})

describe("changes", () => {
  it("tell what a frame did to each presence", () => {
    const { presence, state, diff } = room()
    const seen: unknown[] = []
    presence.subscribe((changes) => seen.push(...changes))
    state({ ann: person("a1", { name: "Ann" }, { user: "u1" }) })
    expect(seen.splice(0)).toEqual([
      {
        kind: "joined",
        key: "ann",
        before: null,
        after: { metas: [{ phx_ref: "a1", name: "Ann" }], user: "u1" },
        joined: [{ phx_ref: "a1", name: "Ann" }],
        left: [],
        cause: "state",
      },
    ])
    diff({ ann: person("a2", { phx_ref_prev: "a1" }) }, { ann: person("a1") })
    expect(seen.splice(0)).toMatchObject([
      { kind: "updated", key: "ann", joined: [{ phx_ref: "a2" }], left: [{ phx_ref: "a1" }], cause: "diff" },
    ])
    diff({}, { ann: person("a2") })
    expect(seen.splice(0)).toMatchObject([
      { kind: "left", key: "ann", after: null, left: [{ phx_ref: "a2" }] },
    ])
  })

  it("are not told where nothing changed, nor to those who have ended it", () => {
    const { presence, state, diff } = room()
    const first = vi.fn()
    const second = vi.fn()
    const end = presence.subscribe(first)
    presence.subscribe(second)
    state({ ann: person("a") })
    state({ ann: person("a") })
    expect(first).toHaveBeenCalledTimes(1)
    end()
    end()
    diff({ bob: person("b") })
    expect(first).toHaveBeenCalledTimes(1)
    expect(second).toHaveBeenCalledTimes(2)
  })

  it("give updates to onUpdate, between onLeave and onSync", () => {
    const { presence, state, diff } = room()
    const log: unknown[] = []
    presence.onJoin((key) => log.push(["join", key]))
    presence.onLeave((key) => log.push(["leave", key]))
    presence.onUpdate((key, before, after) =>
      log.push(["update", key, before.metas[0].name, after.metas[0].name]),
    )
    presence.onSync(() => log.push("sync"))
    presence.subscribe((changes) => log.push(changes.map(({ kind }) => kind)))
    state({ ann: person("a1", { name: "Ann" }) })
    expect(log.splice(0)).toEqual([["join", "ann"], "sync", ["joined"]])
    diff({ ann: person("a2", { name: "Anna" }) }, { ann: person("a1") })
    expect(log).toEqual([
      ["join", "ann"],
      ["leave", "ann"],
      ["update", "ann", "Ann", "Anna"],
      "sync",
      ["updated"],
    ])
  })
})

describe("the snapshot", () => {
  it("is one array until something changes, and what did not change is the same in the next", () => {
    const { presence, state, diff } = room()
    expect(presence.getSnapshot()).toEqual([])
    expect(presence.getSnapshot()).toBe(presence.getSnapshot())
    state({ ann: person("a"), bob: person("b") })
    const first = presence.getSnapshot()
    expect(presence.getSnapshot()).toBe(first)
    state({ ann: person("a"), bob: person("b") })
    expect(presence.getSnapshot()).toBe(first)
    diff({ bob: person("b2") })
    const second = presence.getSnapshot()
    expect(second).not.toBe(first)
    expect(second[0]).toBe(first[0])
    expect(second[1]).not.toBe(first[1])
    expect(first[1].metas).toHaveLength(1)
  })

  it("goes to useSyncExternalStore as it is", () => {
    const { presence, state } = room()
    const { subscribe, getSnapshot } = presence
    const changed = vi.fn()
    const stop = subscribe(changed)
    state({ ann: person("a") })
    expect(changed).toHaveBeenCalledOnce()
    expect(getSnapshot()).toBe(presence.getSnapshot())
    stop()
  })

  it("finds by key the same objects that it lists", () => {
    const { presence, state, diff } = room()
    const keys = ["ann", "7", "", "__proto__", "zoë", "\ud800"]
    state(Object.fromEntries(keys.map((key, index) => [key, person(`r${index}`)])))
    expect(presence.size).toBe(keys.length)
    for (const key of keys) {
      expect(presence.get(key)).toBe(
        presence.list((own, entry) => (own === key ? entry : null)).find(Boolean),
      )
    }
    expect(presence.get(7 as any)).toBe(presence.get("7"))
    expect(presence.get("nobody")).toBeUndefined()
    expect(presence.get(undefined as any)).toBeUndefined()
    diff({}, { ann: person("r0") })
    expect(presence.get("ann")).toBeUndefined()
    expect(presence.size).toBe(keys.length - 1)
  })
})

describe("the status", () => {
  it("goes from syncing to synced, to stale, and back", () => {
    const { socket, presence, state } = room()
    const told: string[] = []
    presence.onStatus((status) => told.push(status))
    expect(presence.status).toBe("syncing")
    state({ ann: person("a") })
    expect(presence.status).toBe("synced")
    server().lose()
    expect(presence.status).toBe("stale")
    expect(presence.size).toBe(1)
    vi.advanceTimersByTime(10)
    server().open()
    reply("ok", {}, "phx_join")
    expect(presence.status).toBe("stale")
    state({})
    expect(told).toEqual(["synced", "stale", "synced"])
    socket.disconnect()
  })

  it("is stale once the channel is left, and the roster the last known one", () => {
    const { channel, presence, state } = room()
    const told: string[] = []
    presence.onStatus((status) => told.push(status))
    state({ ann: person("a") })
    channel.leave()
    expect(told).toEqual(["synced", "stale"])
    expect(presence.status).toBe("stale")
    expect(presence.get("ann")).toEqual(person("a"))
    expect(presence.size).toBe(1)
  })

  it("is told of where onMessage is overridden, too", async () => {
    const { channel, presence, state } = room()
    channel.onMessage = (_event, payload) => payload
    const told: string[] = []
    presence.onStatus((status) => told.push(status))
    state({ ann: person("a") })
    await Promise.resolve()
    expect(told).toEqual(["synced"])
  })

  it("is that of a channel of somebody else's by its join_ref", () => {
    const callbacks: Record<string, (payload: unknown) => void> = {}
    let joinRef = "1"
    const channel = {
      on: (event: string, callback: (payload: unknown) => void) => {
        callbacks[event] = callback
      },
      joinRef: () => joinRef,
    }
    const presence = new Presence(channel)
    const told: string[] = []
    presence.onStatus((status) => told.push(status))
    callbacks.presence_state({ ann: person("a") })
    expect(presence.status).toBe("synced")
    joinRef = "2"
    expect(presence.status).toBe("stale")
    callbacks.presence_diff({ joins: { bob: person("b") }, leaves: {} })
    expect(presence.size).toBe(1)
    callbacks.presence_state({})
    expect(told).toEqual(["synced", "stale", "synced"])
    expect(presence.size).toBe(1)
  })
})

describe("a presence of somebody else's channel", () => {
  const attached = () => {
    const callbacks: Record<string, (payload: unknown) => void> = {}
    const channel = {
      join: "1",
      on: (event: string, callback: (payload: unknown) => void) => {
        callbacks[event] = callback
      },
      joinRef: () => channel.join,
    }
    const presence = new Presence<any, any>(channel)
    return { channel, presence, state: callbacks.presence_state, diff: callbacks.presence_diff }
  }
  const first = () => ({
    "7": person("s"),
    ann: { user: { names: ["Ann"], age: null }, metas: [{ phx_ref: "a", at: 1 }, { phx_ref: "b" }] },
    bob: person("c", {}, { since: "2020-01-01T00:00:00.000Z", odd: null }),
  })
  const withBob = (bob: unknown) => () => ({ ...first(), bob })
  const extra = { since: "2020-01-01T00:00:00.000Z", odd: null }
  class Odd {
    metas = [{ phx_ref: "c" }]
    since = extra.since
    odd = null
    toJSON() {
      return person("d")
    }
  }
  const cyclic: any = person("c", {}, extra)
  cyclic.odd = cyclic

  const states: Record<string, () => unknown> = {
    "the same": first,
    "the same in another order": () => Object.fromEntries(Object.entries(first()).reverse()),
    "one fewer": () => ({ ann: first().ann, bob: first().bob }),
    "one more": () => ({ ...first(), carol: person("d") }),
    "another key": () => ({ "7": first()[7], ann: first().ann, bill: first().bob }),
    "a key that objects inherit": () => ({ "7": first()[7], ann: first().ann, toString: first().bob }),
    "a key `__proto__`": () => JSON.parse('{"7":{"metas":[]},"ann":{"metas":[]},"__proto__":{"metas":[]}}'),
    "another ref": withBob(person("d", {}, extra)),
    "a ref that is a number": withBob(person(3 as any, {}, extra)),
    "no ref": withBob({ metas: [{}], ...extra }),
    "one meta more": () => ({ ...first(), bob: { metas: [{ phx_ref: "c" }, { phx_ref: "d" }], ...extra } }),
    "no metas": withBob(extra),
    "metas that are none": withBob({ metas: { length: 1, 0: { phx_ref: "c" } }, ...extra }),
    "a sparse list of metas": withBob({ metas: new Array(1), ...extra }),
    "a meta of another content": withBob(person("c", { at: 2 }, extra)),
    "metas in another order": () => ({
      ...first(),
      ann: { ...first().ann, metas: first().ann.metas.reverse() },
    }),
    "metas at another place": withBob({ ...extra, metas: [{ phx_ref: "c" }] }),
    "another extra": withBob(person("c", {}, { ...extra, odd: 0 })),
    "an extra less": withBob(person("c", {}, { since: extra.since })),
    "an extra more": withBob(person("c", {}, { ...extra, more: 1 })),
    "an extra that JSON leaves out": withBob(person("c", {}, { ...extra, more: undefined })),
    "an extra that JSON makes null": withBob(person("c", {}, { ...extra, odd: Number.NaN })),
    "an extra that JSON makes a string": withBob(person("c", {}, { ...extra, since: new Date(extra.since) })),
    "an extra that JSON cannot say": withBob(person("c", {}, { ...extra, odd: 1n })),
    "an extra that has no end": withBob(cyclic),
    "nested extras": () => ({
      ...first(),
      ann: { ...first().ann, user: { names: ["Ann", "Anna"], age: null } },
    }),
    "one that says itself what it is": withBob(new Odd()),
    "null for a presence": withBob(null),
    "a list": () => Object.values(first()),
    "no object": () => null,
    "a number": () => 7,
    "an empty list": () => [],
    nobody: () => ({}),
  }

  /** What a state does after another, and after a diff that waited for it; `listing`: the list is up to date then. */
  const play = (before: unknown, next: () => unknown, listing: boolean) => {
    const { channel, presence, state, diff } = attached()
    const log: unknown[] = []
    presence.onJoin((...args) => log.push("join", args))
    presence.onLeave((...args) => log.push("leave", args))
    presence.onSync(() => log.push("sync"))
    presence.onStatus((status) => log.push(status))
    presence.subscribe((changes) => log.push(changes))
    const guarded = (payload: unknown) => {
      try {
        state(payload)
      } catch {
        log.push("refused")
      }
      log.push(presence.status, presence.pendingDiffs)
    }
    state(before)
    if (listing) {
      presence.list()
    }
    guarded(next())
    channel.join = "2"
    diff({ joins: { dan: person("e") }, leaves: { ann: { metas: [{ phx_ref: "a" }] } } })
    if (listing) {
      presence.list()
    }
    guarded(next())
    log.push(presence.list(), presence.state)
    return JSON.stringify(log)
  }

  it.each(Object.entries(states))("follows a state whether it is listed or not: %s", (_name, next) => {
    for (const before of [first(), {}]) {
      expect(play(before, next, true)).toBe(play(before, next, false))
    }
  })

  it("keeps who is listed where a state brings nothing new, and nothing of the state", () => {
    const { presence, state } = attached()
    state(first())
    const listed = presence.list()
    const again: any = first()
    const stringify = vi.spyOn(JSON, "stringify")
    state(again)
    expect(stringify).not.toHaveBeenCalledWith(again)
    stringify.mockRestore()
    again.ann.metas[0].at = 2
    again.bob.odd = 1
    expect(presence.list()).toEqual(Object.values(first()))
    expect(presence.list().every((person, at) => person === listed[at])).toBe(true)
  })
})

describe("destroy", () => {
  it("ends all that is told, keeps the last roster, and can be repeated", () => {
    const { channel, presence, state, diff } = room()
    const told = vi.fn()
    presence.onJoin(told)
    presence.onSync(told)
    presence.onUpdate(told)
    presence.subscribe(told)
    presence.onStatus(told)
    state({ ann: person("a") })
    told.mockClear()
    presence.destroy()
    presence.destroy()
    diff({ bob: person("b") })
    channel.leave()
    expect(told).not.toHaveBeenCalled()
    expect(presence.list((key) => key)).toEqual(["ann"])
    expect(channel.bindings).toEqual([])
    const sibling = new Presence(channel)
    sibling.destroy()
  })

  it("is what `using` calls", () => {
    const { channel } = room()
    {
      using presence = new Presence(channel)
      expect(presence.size).toBe(0)
      expect(channel.bindings).toHaveLength(4)
    }
    expect(channel.bindings).toHaveLength(2)
  })
})

it("names what is wrong with an argument", () => {
  const { presence, channel } = room()
  expect(() => presence.subscribe(7 as any)).toThrow(TypeError)
  expect(() => new Presence({} as any)).toThrow(/`on` and `joinRef`/)
  for (const [wrong, message] of [
    [() => channel.push(7 as any), /event must be a string/],
    [() => channel.socket.channel(7 as any), /topic must be a string/],
  ] as const) {
    expect(wrong).toThrow(TypeError)
    expect(wrong).toThrow(message)
  }
})
