// The options that phoenix.js does not have, and what is said of wrong ones.

import * as phoenix from "phoenix"
import { describe, expect, it, vi } from "vitest"
import { Socket } from "../../src/index.js"
import { FakeTransport, useFakeTimers } from "./both.js"
import { connected, reply, server } from "./room.js"

useFakeTimers()

const transport = FakeTransport as any

describe("jitter", () => {
  it("cuts the waits at random, by no more than its fraction", () => {
    const waits = new Set<number>()
    for (let round = 0; round < 20; round++) {
      const socket = connected({ jitter: 0.5, reconnectAfterMs: () => 1000 })
      const lost = server()
      const start = Date.now()
      lost.lose()
      while (server() === lost) {
        vi.advanceTimersToNextTimer()
      }
      waits.add(Date.now() - start)
      socket.disconnect()
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500)
    expect(Math.max(...waits)).toBeLessThanOrEqual(1000)
    expect(waits.size).toBeGreaterThan(5)
  })
})

describe("heartbeatTimeoutMs", () => {
  it("ends a connection that has not answered for so long", () => {
    connected({ heartbeatIntervalMs: 1000, heartbeatTimeoutMs: 200 })
    const first = server()
    vi.advanceTimersByTime(1000)
    expect(JSON.parse(first.sent.at(-1))[3]).toBe("heartbeat")
    vi.advanceTimersByTime(199)
    expect(first.readyState).toBe(1)
    vi.advanceTimersByTime(1)
    expect(first.readyState).toBeGreaterThan(1)
  })
})

describe("asynchronous params and authToken", () => {
  it("are waited for at each connect", async () => {
    FakeTransport.all = []
    let count = 0
    const socket = new Socket("ws://example.com/socket", {
      transport,
      params: async () => ({ n: ++count }),
      authToken: async () => `token ${count + 1}`,
    })
    socket.connect()
    expect(FakeTransport.all).toHaveLength(0)
    await vi.waitFor(() => expect(FakeTransport.all).toHaveLength(1))
    expect(server().url).toBe("ws://example.com/socket/websocket?n=1&vsn=2.0.0")
    expect(server().protocols).toEqual([
      "phoenix",
      `base64url.bearer.phx.${btoa("token 1").replace(/=/g, "")}`,
    ])
    server().open()
    server().lose()
    vi.advanceTimersByTime(10)
    await vi.waitFor(() => expect(FakeTransport.all).toHaveLength(2))
    expect(server().url).toContain("n=2")
    socket.disconnect()
  })

  it("are in the URL that is logged, and asked for no more than once a connect", async () => {
    FakeTransport.all = []
    const logger = vi.fn()
    const params = vi.fn().mockResolvedValueOnce({ n: 1 }).mockRejectedValue(new Error("asked again"))
    const socket = new Socket("ws://example.com/socket", { transport, params, logger })
    socket.connect()
    await vi.waitFor(() => expect(FakeTransport.all).toHaveLength(1))
    server().open()
    expect(logger).toHaveBeenCalledWith(
      "transport",
      "FakeTransport connected to ws://example.com/socket/websocket?n=1&vsn=2.0.0",
      undefined,
    )
    expect(params).toHaveBeenCalledOnce()
    socket.disconnect()
  })

  it("are forgotten by a disconnect", async () => {
    FakeTransport.all = []
    let resolve: (params: object) => void = () => {}
    const params = () => new Promise<object>((done) => (resolve = done))
    const socket = new Socket("ws://example.com/socket", { transport, params })
    socket.connect()
    const disconnected = vi.fn()
    socket.disconnect(disconnected)
    resolve({})
    await Promise.resolve()
    await vi.advanceTimersByTimeAsync(1000)
    expect(FakeTransport.all).toHaveLength(0)
    expect(disconnected).toHaveBeenCalledOnce()
  })

  it("that fail are an error, and are asked again", async () => {
    FakeTransport.all = []
    const reported = vi.fn()
    vi.stubGlobal("reportError", reported)
    const failed = vi.fn()
    let count = 0
    const authToken = async () => {
      if (++count === 1) throw new Error("no network")
      return "token"
    }
    const socket = new Socket("ws://example.com/socket", { transport, authToken })
    socket.onError(failed)
    socket.connect()
    await vi.advanceTimersByTimeAsync(0)
    expect(failed).toHaveBeenCalledOnce()
    expect(reported.mock.calls[0][0].message).toBe("no network")
    await vi.advanceTimersByTimeAsync(10)
    expect(FakeTransport.all).toHaveLength(1)
    socket.disconnect()
    vi.unstubAllGlobals()
  })
})

describe("stopOnRefusal", () => {
  it("ends the tries and says so; connect begins anew", () => {
    const socket = connected({ stopOnRefusal: true })
    const refused = vi.fn()
    const taken = vi.fn()
    socket.onRefusal(refused)
    socket.off([socket.onRefusal(taken)])
    server().lose(1008)
    vi.advanceTimersByTime(60_000)
    expect(FakeTransport.all).toHaveLength(1)
    expect(refused.mock.calls).toEqual([[{ code: 1008 }]])
    expect(taken).not.toHaveBeenCalled()
    socket.connect()
    expect(FakeTransport.all).toHaveLength(2)
  })

  it("is off unless asked for", () => {
    connected()
    server().lose(1008)
    vi.advanceTimersByTime(10)
    expect(FakeTransport.all).toHaveLength(2)
  })
})

describe("stopOnJoinRefusal", () => {
  it("closes the channel", async () => {
    const socket = connected({ stopOnJoinRefusal: true })
    const channel = socket.channel("room:1")
    const closed = vi.fn()
    channel.onClose(closed)
    const join = channel.join()
    const refused = expect(join).rejects.toMatchObject({
      status: "error",
      response: { reason: "unauthorized" },
    })
    reply("error", { reason: "unauthorized" })
    await refused
    expect(closed).toHaveBeenCalledOnce()
    expect(channel.state).toBe("closed")
    expect(socket.channels).toEqual([])
    const sent = server().sent.length
    vi.advanceTimersByTime(20_000)
    expect(server().sent).toHaveLength(sent)
  })
})

describe("a wrong option", () => {
  it.each([
    ["timeout", "10"],
    ["heartbeatIntervalMs", {}],
    ["reconnectAfterMs", 10],
    ["jitter", 2],
    ["jitter", -1],
    ["params", 7],
    ["authToken", 7],
    ["transport", "WebSocket"],
    ["logger", {}],
    ["encode", 1],
    ["maxBuffered", "many"],
    ["maxBuffered", Number.NaN],
    ["stopOnRefusal", "yes"],
  ])("%s: %j is a TypeError that names it", (name, value) => {
    const make = () => new Socket("/socket", { [name]: value } as any)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(`option ${name} must`)
  })

  it("debug has none: whatever is true will do, as in phoenix.js", () => {
    expect(new Socket("/socket", { debug: "true" } as any).hasLogger()).toBe(true)
  })

  it.each(["timeout", "heartbeatIntervalMs", "longpollerTimeout", "longPollFallbackMs"])(
    "%s: NaN is none, as in phoenix.js",
    (name) => {
      const options = { transport, [name]: Number.NaN }
      const [theirs, mine] = [phoenix, { Socket }].map(
        (lib) => new (lib.Socket as any)("ws://example.com/socket", options)[name],
      )
      expect(mine).toBe(theirs)
    },
  )

  it("names the end point and the options themselves", () => {
    expect(() => new Socket(7 as any)).toThrow(/endPoint must be a string, but is 7/)
    expect(() => new Socket("/socket", "x" as any)).toThrow(/options must be an object/)
  })
})
