// Where this package differs from phoenix.js 1.8.16 on purpose, by the numbers of the README's chapter: each test
// plays the same over both, and shows both sides.

import * as phoenix from "phoenix"
import { expect, it, vi } from "vitest"
import * as ours from "../../src/index.js"
import { FakeTransport, useFakeTimers } from "./both.js"
import { person } from "./room.js"

useFakeTimers()

const server = (): FakeTransport => FakeTransport.all.at(-1)!

/** Answers the join sent last. */
const accept = (): void => {
  const [joinRef, ref, topic] = JSON.parse(server().sent.at(-1))
  server().receive(joinRef, ref, topic, "phx_reply", { status: "ok", response: {} })
}

/** A channel that has joined, and its presence. */
const room = (lib: any) => {
  FakeTransport.all = []
  const socket = new lib.Socket("ws://example.com/socket", { transport: FakeTransport })
  socket.connect()
  server().open()
  const channel = socket.channel("room:1")
  const presence = new lib.Presence(channel)
  channel.join()
  accept()
  return {
    channel,
    presence,
    keys: (): string[] => presence.list((key: string) => key),
    state: (state: unknown) => server().receive(channel.joinRef(), null, "room:1", "presence_state", state),
    diff: (joins: unknown, leaves: unknown = {}) =>
      server().receive(null, null, "room:1", "presence_diff", { joins, leaves }),
    reconnect: () => {
      server().lose()
      vi.advanceTimersByTime(10)
      server().open()
    },
  }
}

/** What a scenario comes to over phoenix.js, and over this package. */
const over = <T>(scenario: (lib: any) => T): { theirs: T; mine: T } => ({
  theirs: scenario(phoenix),
  mine: scenario(ours),
})

it("1: a diff held back under an earlier join is no ghost", () => {
  const { theirs, mine } = over((lib) => {
    const { keys, state, diff, reconnect } = room(lib)
    diff({ ghost: person("g") })
    // Lost before the state came; meanwhile the ghost has left.
    reconnect()
    accept()
    state({ ann: person("a") })
    return keys()
  })
  expect(theirs).toEqual(["ann", "ghost"])
  expect(mine).toEqual(["ann"])
})

it("2: a state refreshes the extras of those whose refs did not change", () => {
  const { theirs, mine } = over((lib) => {
    const { presence, state } = room(lib)
    const calls: unknown[] = []
    presence.onJoin(() => calls.push("join"))
    presence.onLeave(() => calls.push("leave"))
    state({ ann: person("a", {}, { user: "old" }) })
    state({ ann: person("a", {}, { user: "new" }) })
    return { user: presence.list()[0].user, calls }
  })
  expect(theirs).toEqual({ user: "old", calls: ["join"] })
  expect(mine).toEqual({ user: "new", calls: ["join"] })
})

it("3: what a program does to the objects it was handed does not change who is there", () => {
  const { theirs, mine } = over((lib) => {
    const { presence, keys, state, diff } = room(lib)
    const handed: any[] = []
    presence.onJoin((_key: string, _current: any, joined: any) => handed.push(joined))
    state({ ann: person("a") })
    const inList = presence.list()[0]
    delete inList.metas[0].phx_ref
    diff({}, { ann: person("a") })
    return { keys: keys(), aliased: handed.includes(inList) }
  })
  expect(theirs).toEqual({ keys: ["ann"], aliased: false })
  expect(mine).toEqual({ keys: [], aliased: false })
})

it("3: the same meta is one object in all that a frame's callbacks get", () => {
  const { theirs, mine } = over((lib) => {
    const { presence, state, diff } = room(lib)
    const metas: any[] = []
    presence.onJoin((_key: string, current: any, joined: any) => {
      metas.push(current?.metas[0], joined.metas[0])
    })
    presence.onLeave((_key: string, current: any, left: any) => {
      metas.push(current.metas[0], left.metas[0])
    })
    state({ ann: person("a") })
    metas.length = 0
    diff({ ann: person("b") }, { ann: person("a") })
    const [before, joined, after, left] = metas
    const isListed = metas.includes(presence.list()[0].metas[0])
    return { joined: joined === after, left: left === before, isListed }
  })
  expect(theirs).toEqual({ joined: false, left: false, isListed: true })
  expect(mine).toEqual({ joined: true, left: true, isListed: false })
})

it("4: a listener that throws breaks nothing", () => {
  const reported: unknown[] = []
  vi.stubGlobal("reportError", (error: unknown) => reported.push(error))
  const play = (lib: any) => {
    const { channel, presence, keys, state } = room(lib)
    const heard: string[] = []
    presence.onJoin(() => {
      throw new Error("a listener's")
    })
    channel.on("presence_state", () => heard.push("after"))
    try {
      state({ ann: person("a"), bob: person("b") })
    } catch {
      heard.push("thrown at the transport")
    }
    return { keys: keys(), heard }
  }
  const { theirs, mine } = over(play)
  vi.unstubAllGlobals()
  expect(theirs).toEqual({ keys: [], heard: ["thrown at the transport"] })
  expect(mine).toEqual({ keys: ["ann", "bob"], heard: ["after"] })
  expect(reported.map(String)).toEqual(["Error: a listener's", "Error: a listener's"])
})

it("5: callbacks see the roster after the whole frame", () => {
  const { theirs, mine } = over((lib) => {
    const { presence, keys, state, diff } = room(lib)
    state({ ann: person("a") })
    const seen: unknown[] = []
    presence.onJoin(() => seen.push(keys()))
    diff({ bob: person("b"), carl: person("c") }, { ann: person("a") })
    return seen
  })
  expect(theirs).toEqual([
    ["ann", "bob"],
    ["ann", "bob", "carl"],
  ])
  expect(mine).toEqual([
    ["bob", "carl"],
    ["bob", "carl"],
  ])
})

it("6: a push can be awaited", async () => {
  vi.useRealTimers()
  const play = async (lib: any) => {
    const { channel } = room(lib)
    const push = channel.push("ask")
    const [joinRef, ref, topic] = JSON.parse(server().sent.at(-1))
    server().receive(joinRef, ref, topic, "phx_reply", { status: "error", response: { reason: "no" } })
    // An async function that returns a push awaits it.
    const returned = (async () => push)()
    return returned.then(
      (value) => (value === push ? "the push itself" : value),
      (error) => error.status,
    )
  }
  expect(await play(phoenix)).toBe("the push itself")
  expect(await play(ours)).toBe("error")
})

it("smaller: a message does not come to a channel that another's callback has left meanwhile", () => {
  const { theirs, mine } = over((lib) => {
    const { channel } = room(lib)
    const other = channel.socket.channel("room:1")
    const heard: string[] = []
    channel.on("shout", () => {
      heard.push("the first")
      other.leave()
    })
    other.on("shout", () => heard.push("the one that is left"))
    server().receive(null, null, "room:1", "shout", {})
    return heard
  })
  expect(theirs).toEqual(["the first", "the one that is left"])
  expect(mine).toEqual(["the first"])
})

it("smaller: the logger is not told of four things that the machine decides by itself", () => {
  const { theirs, mine } = over((lib) => {
    const { channel, reconnect } = room(lib)
    const { socket } = channel
    let lines: string[] = []
    socket.logger = (...line: string[]) => lines.push(line.slice(0, 2).join(": ").trim())
    const since = () => {
      const told = lines.filter(
        (line) => !/^(push|receive): |^transport: (F|close|error)|^channel: close/.test(line),
      )
      lines = []
      return told
    }
    server().receive("99", null, "room:1", "of an earlier join", {})
    const outdated = since()
    socket.channel("room:1").join()
    accept()
    const duplicate = since()
    vi.advanceTimersByTime(60_000)
    const silent = since()
    reconnect()
    vi.advanceTimersByTime(10_000)
    const unanswered = since()
    Object.defineProperty(socket, "pageHidden", { value: true })
    vi.stubGlobal("window", { document: { visibilityState: "hidden" } })
    server().lose()
    vi.advanceTimersByTime(5_000)
    vi.unstubAllGlobals()
    const hidden = since()
    socket.disconnect()
    return { outdated, duplicate, silent, unanswered, hidden }
  })
  expect(theirs).toEqual({
    outdated: ["channel: dropping outdated message"],
    duplicate: ['transport: leaving duplicate topic "room:1"', "channel: leave room:1"],
    silent: ["transport: heartbeat timeout. Attempting to re-establish connection", "channel: error room:1"],
    unanswered: ["channel: timeout room:1 (9)"],
    hidden: ["Not reconnecting as page is hidden!:"],
  })
  expect(mine).toEqual({
    outdated: [],
    duplicate: ["channel: leave room:1"],
    silent: ["channel: error room:1"],
    unanswered: ["channel: timeout room:1 (9)"],
    hidden: [],
  })
})
