import { describe, expect, it, onTestFinished, vi } from "vitest"
import * as ours from "../../src/index.js"
import { both, FakeTransport, join, reply, type Stage, useFakeTimers } from "./both.js"
import { room } from "./room.js"

useFakeTimers()

describe("connecting", () => {
  it("closes with the reason of the disconnect that it waited for", () => {
    const log = both(({ socket, server, wait }) => {
      socket.connect()
      server().open()
      server().bufferedAmount = 9
      socket.disconnect(() => {}, 4000, "first")
      socket.disconnect()
      const close = server().close.bind(server())
      server().close = (...args) => {
        server().sent.push(["closed", ...args])
        close(...args)
      }
      server().bufferedAmount = 0
      wait(1000)
    })
    expect(JSON.stringify(log)).toContain('["closed",4000,"first"]')
  })

  it("closes a connection that was replaced as soon as it has sent everything", () => {
    const log = both(({ socket, server, wait }) => {
      socket.connect()
      server().open()
      const old = server()
      old.bufferedAmount = 9
      socket.disconnect()
      socket.connect()
      old.bufferedAmount = 0
      wait(200)
      server().sent.push(`the old one is ${old.readyState}`)
    })
    expect(JSON.stringify(log)).toContain("the old one is 3")
  })

  it("sends the params of the join that is tried, not of one before", () => {
    let tries = 0
    const log = both((stage) => {
      const { socket, server, wait } = stage
      tries = 0
      socket.channel("room:1", () => ({ try: ++tries })).join(50)
      wait(100)
      socket.connect()
      server().open()
    })
    expect(JSON.stringify(log)).toContain('{\\"try\\":2}')
  })

  it("hears what comes before the transport says that it is open", () => {
    const log = both(({ socket, heard, server }) => {
      socket.onMessage(heard("onMessage"))
      const channel = socket.channel("room:1")
      channel.on("shout", heard("shout"))
      socket.connect()
      server().receive(null, null, "room:1", "shout", { early: true })
      server().open()
    })
    expect(JSON.stringify(log)).toContain('["shout",{"early":true}')
  })

  it("opens, and says so", () => {
    const log = both(({ socket, heard, server, log }) => {
      socket.onOpen(heard("open"))
      socket.onClose(heard("close"))
      log.push(socket.connectionState(), socket.isConnected())
      socket.connect()
      log.push(socket.connectionState())
      server().open()
      log.push(socket.connectionState(), socket.isConnected())
    })
    expect(log).toContainEqual(["open"])
  })

  it("calls a callback that one of its kind adds from the next time on", () => {
    both(({ socket, heard, server, wait }) => {
      let left = 3
      const again = () => {
        heard("open")()
        if (left-- > 0) socket.onOpen(again)
      }
      socket.onOpen(again)
      socket.connect()
      server().open()
      server().lose()
      wait(10)
      server().open()
    })
  })

  it("reconnects after phoenix.js's waits", () => {
    both(({ socket, heard, server, wait, log }) => {
      socket.onError(heard("error"))
      socket.onClose(heard("close"))
      socket.connect()
      for (const ms of [10, 50, 100, 150, 200, 250, 500, 1000, 2000, 5000, 5000]) {
        server().lose()
        const before = server()
        wait(ms - 1)
        log.push(server() === before)
        wait(1)
        log.push(server() !== before)
      }
      server().open()
      server().lose()
      wait(10)
      log.push(socket.connectionState())
    })
  })

  it("reconnects whatever the code of the close, but not after disconnect", () => {
    both(({ socket, server, wait, heard, log }) => {
      for (const code of [1000, 1001, 1006, 1011, 1012, 3000]) {
        socket.connect()
        server().open()
        server().lose(code)
        wait(10)
        log.push(code, socket.connectionState())
      }
      server().open()
      socket.disconnect(heard("disconnected"), 4000, "bye")
      wait(60000)
      log.push(socket.connectionState())
    })
  })

  it("tells the server a token by the subprotocol, and asks for params anew", () => {
    let count = 0
    both(
      ({ socket, server, wait }) => {
        count = 0
        socket.params = () => ({ n: ++count, nested: { a: "é&" } })
        socket.connect()
        server().lose()
        wait(10)
      },
      { authToken: "secret==" },
    )
    expect(count).toBe(2)
  })

  it("asks for the token before the params, for what one learns of the other", () => {
    both(
      ({ socket, server, log, wait }) => {
        socket.authToken = () => log.push("token") && "secret"
        socket.params = () => log.push("params") && {}
        socket.connect()
        server().lose()
        wait(10)
      },
      { authToken: "secret" },
    )
  })

  it("connects to whatever URL endPointURL has been made to give", () => {
    const log = both(({ socket, server }) => {
      const { endPointURL } = socket
      socket.endPointURL = () => `${endPointURL.call(socket)}&signed=1`
      socket.connect()
      server().open()
    })
    expect(log.at(-1)).toContain("ws://example.com/socket/websocket?vsn=2.0.0&signed=1")
  })

  it.each(["self", "window"])("takes the WebSocket of a %s that a program made", (name) => {
    onTestFinished(() => {
      vi.unstubAllGlobals()
    })
    vi.stubGlobal(name, { WebSocket: FakeTransport })
    expect(new ours.Socket("ws://example.com/socket").transport).toBe(FakeTransport)
  })

  it("takes a dead heartbeat for a dead connection", () => {
    both((stage) => {
      const { server, wait, log, socket } = stage
      join(stage)
      reply(stage)
      wait(30000)
      log.push(server().sent.at(-1))
      reply(stage)
      wait(30000)
      log.push(server().sent.at(-1))
      wait(29999)
      log.push(socket.connectionState())
      wait(1)
      log.push(socket.connectionState())
      wait(10)
      log.push(socket.connectionState())
    })
  })
})

describe("channels", () => {
  it("joins, also before the socket is connected", () => {
    const log = both((stage) => {
      const channel = join(stage, "room:1", { token: 1 })
      stage.log.push(channel.state)
      reply(stage, "ok", { hello: true })
      stage.log.push(channel.state, channel.topic, channel.joinedOnce)
    })
    expect(log).toContainEqual(["join ok", { hello: true }])
  })

  it("tries again after a refusal and after no answer", () => {
    both((stage) => {
      const channel = join(stage)
      reply(stage, "error", { reason: "no" })
      stage.log.push(channel.state)
      for (const ms of [1000, 2000, 5000, 10000, 10000]) {
        stage.wait(ms)
        stage.log.push(channel.state)
        reply(stage, "error", { reason: "still no" })
      }
      stage.wait(10000)
      stage.wait(10000)
      stage.log.push(channel.state)
      stage.wait(10000)
      reply(stage)
      stage.log.push(channel.state)
    })
  })

  it("rejoins after a crash and after a lost connection", () => {
    both((stage) => {
      const channel = join(stage)
      reply(stage)
      stage.server().receive("3", "3", "room:1", "phx_error", { reason: "channel_crash" })
      stage.log.push(channel.state)
      stage.wait(1000)
      reply(stage)
      stage.log.push(channel.state)
      stage.server().lose()
      stage.log.push(channel.state)
      stage.wait(10)
      stage.server().open()
      stage.log.push(channel.state)
      reply(stage)
      stage.log.push(channel.state)
    })
  })

  it("is closed by the server, and left", () => {
    both((stage) => {
      const { socket, log } = stage
      const channel = join(stage)
      reply(stage)
      stage.server().receive("3", "3", "room:1", "phx_close", {})
      log.push(channel.state, socket.channels.length)
      const other = join(stage, "room:2")
      reply(stage)
      other.leave().receive("ok", stage.heard("left"))
      log.push(other.state, socket.channels.length)
      const never = socket.channel("room:3")
      never.onClose(stage.heard("closed"))
      never.leave().receive("ok", stage.heard("left"))
      log.push(socket.channels.length, typeof never.joinRef())
    })
  })

  it("gives a message's fields to an encoder of its own in phoenix.js's order", () => {
    const encode = (message: object, send: (text: string) => void) => send(JSON.stringify(message))
    both(
      (stage) => {
        const channel = join(stage)
        channel.push("before its answer", {})
        stage.wait(30_000)
      },
      { encode, decode: JSON.parse },
    )
  })

  it("leaves the older channel of a topic", () => {
    both((stage) => {
      join(stage)
      reply(stage)
      const second = join(stage)
      reply(stage)
      stage.log.push(second.state, stage.socket.channels.length)
    })
  })

  it("hears nothing and does not rejoin once it is removed, but may push and leave", () => {
    both((stage) => {
      const [removed, other] = [join(stage), stage.socket.channel("room:2", {})]
      reply(stage)
      removed.on("msg", stage.heard("msg"))
      removed.onError(stage.heard("error"))
      removed.onClose(stage.heard("close"))
      stage.socket.remove(removed)
      stage.log.push(stage.socket.channels.length, removed.state)
      stage.server().receive(null, null, "room:1", "msg", {})
      removed.push("ask", {}).receive("ok", stage.heard("ok")).receive("timeout", stage.heard("timeout"))
      const [joinRef, ref] = JSON.parse(stage.server().sent.at(-1))
      stage.server().receive(joinRef, ref, "room:1", "phx_reply", { status: "ok", response: {} })
      stage.wait(10_000)
      // The same topic is free for another.
      stage.socket.channel("room:1", {}).join()
      stage.server().lose()
      stage.wait(10)
      stage.server().open()
      other.join()
      stage.log.push(removed.state)
      removed.leave().receive("ok", stage.heard("left"))
      stage.log.push(removed.state)
    })
  })

  it("gives each event to its callbacks, but not a stale join's", () => {
    both((stage) => {
      const channel = join(stage)
      reply(stage)
      const ref = channel.on("msg", stage.heard("first"))
      channel.on("msg", stage.heard("second"))
      stage.socket.onMessage(stage.heard("any"))
      for (const joinRef of [null, "3", "1", 3, "", "03"]) {
        stage.server().receive(joinRef, null, "room:1", "msg", { joinRef })
      }
      stage.server().receive(null, null, "room:2", "msg", {})
      channel.off("msg", ref)
      stage.server().receive(null, null, "room:1", "msg", { n: 2 })
      channel.off("msg")
      stage.server().receive(null, null, "room:1", "msg", { n: 3 })
    })
  })

  it("passes everything through onMessage", () => {
    both((stage) => {
      const channel = join(stage)
      channel.onMessage = (event: string, payload: any, ref: any) => {
        stage.log.push(["onMessage", event, payload, ref ?? null])
        return { ...payload, seen: true }
      }
      reply(stage)
      channel.on("msg", stage.heard("msg"))
      stage.server().receive(null, null, "room:1", "msg", { n: 1 })
    })
  })

  it.each<[string, (stage: Stage, hook: any) => any]>([
    [
      "a method of a subclass",
      ({ lib, socket }, hook) =>
        new (class extends lib.Channel {
          onMessage(event: string, payload: any) {
            return hook(event, payload)
          }
        })("room:1", {}, socket),
    ],
    [
      "a field of a subclass",
      ({ lib, socket }, hook) =>
        new (class extends lib.Channel {
          onMessage = hook
        })("room:1", {}, socket),
    ],
    [
      "the prototype's method",
      ({ lib, socket }, hook) => {
        const { prototype } = lib.Channel
        const before = Object.getOwnPropertyDescriptor(prototype, "onMessage")!
        onTestFinished(() => void Object.defineProperty(prototype, "onMessage", before))
        prototype.onMessage = hook
        return new lib.Channel("room:1", {}, socket)
      },
    ],
    [
      "a property that is defined",
      ({ lib, socket }, hook) =>
        Object.defineProperty(new lib.Channel("room:1", {}, socket), "onMessage", { value: hook }),
    ],
  ])("passes everything through an onMessage that is %s", (_name, make) => {
    both((stage) => {
      const hook = (event: string, payload: any) => {
        stage.log.push([event, payload])
        return event === "presence_state" ? { bob: payload.ann } : payload
      }
      const channel = make(stage, hook)
      stage.socket.channels.push(channel)
      const presence = new stage.lib.Presence(channel)
      stage.socket.connect()
      stage.server().open()
      channel.join()
      reply(stage)
      const { ref } = channel.joinPush
      stage.server().receive(ref, null, "room:1", "presence_state", { ann: { metas: [{ phx_ref: "1" }] } })
      stage.log.push(Object.keys(presence.state))
    })
  })

  it("gives refs that a program can tell from none", () => {
    both((stage) => {
      const channel = stage.socket.channel("room:1")
      stage.log.push(
        channel.on("msg", () => {}),
        channel.onError(() => {}),
      )
    })
  })
})

describe("pushes", () => {
  it("time out in time where timers are faked after the socket was made", () => {
    vi.useRealTimers()
    both((stage) => {
      const channel = join(stage)
      reply(stage)
      vi.useFakeTimers()
      channel.push("ask").receive("timeout", stage.heard("timeout"))
      stage.wait(9_999)
      stage.log.push("not yet")
      stage.wait(1)
      vi.useRealTimers()
    })
  })

  it.each([
    ["with performance in time", undefined, "heartbeat"],
    ["without performance late", ["setTimeout", "clearTimeout"] as const, "ask"],
  ])("are followed by a heartbeat, where timers are faked %s", (_when, toFake, lastAt30s) => {
    vi.useFakeTimers({ toFake: toFake && [...toFake] })
    const { channel } = room()
    const { sent } = FakeTransport.all.at(-1)!
    const last = () => JSON.parse(sent.at(-1))[3]
    vi.advanceTimersByTime(5_000)
    channel.push("ask")
    vi.advanceTimersByTime(25_000)
    expect(last()).toBe(lastAt30s)
    vi.advanceTimersByTime(5_000)
    expect(last()).toBe("heartbeat")
    channel.socket.disconnect()
  })

  it("are answered", () => {
    const log = both((stage) => {
      const channel = join(stage)
      reply(stage)
      const push = channel
        .push("ask", { n: 1 })
        .receive("ok", stage.heard("ok"))
        .receive("error", stage.heard("error"))
      reply(stage, "ok", { n: 2 })
      push.receive("ok", stage.heard("late"))
      channel.push("ask").receive("error", stage.heard("error"))
      reply(stage, "error", "no")
    })
    expect(log).toContainEqual(["late", { n: 2 }])
  })

  it("wait for the join, and time out", () => {
    both((stage) => {
      const channel = join(stage)
      channel.push("a", { n: 1 }).receive("ok", stage.heard("a")).receive("timeout", stage.heard("a timeout"))
      channel.push("b", {}, 500).receive("timeout", stage.heard("b timeout"))
      stage.wait(600)
      reply(stage)
      stage.wait(9999)
      stage.log.push("not yet")
      stage.wait(1)
    })
  })

  it("are sent again, as new ones with the same callbacks", () => {
    both((stage) => {
      const channel = join(stage)
      reply(stage)
      const push = channel.push("ask", { n: 1 })
      for (const status of ["ok", "error", "timeout"]) {
        push.receive(status, stage.heard(status))
      }
      reply(stage, "error", { reason: "busy" })
      push.resend(500)
      reply(stage, "ok", { at: 2 })
      push.resend(500)
      stage.wait(500)
      push.send()
      push.resend(500)
      const before = stage.server().sent.at(-1)
      push.resend(800)
      const [joinRef, ref, topic] = JSON.parse(before)
      stage.server().receive(joinRef, ref, topic, "phx_reply", { status: "ok", response: { at: 4 } })
      stage.wait(500)
      reply(stage, "ok", { at: 5 })
      push.send()
      stage.wait(800)
      stage.log.push(push.timeout)
    })
  })

  it("are refused before the join", () => {
    both(({ socket, log }) => {
      const channel = socket.channel("room:1")
      try {
        channel.push("x")
      } catch (error) {
        log.push(String(error))
      }
      channel.join()
      try {
        channel.join()
      } catch (error) {
        log.push(String(error))
      }
    })
  })

  it("time out on a channel that was left, and over a lost connection", () => {
    both((stage) => {
      const channel = join(stage)
      reply(stage)
      channel.push("a").receive("timeout", stage.heard("a timeout"))
      stage.server().lose()
      channel.push("b").receive("timeout", stage.heard("b timeout"))
      stage.wait(10000)
      channel.leave()
      channel.push("c").receive("timeout", stage.heard("c timeout"))
      stage.wait(10000)
    })
  })

  it("carry binary data", () => {
    const log = both((stage) => {
      const channel = join(stage)
      reply(stage)
      channel.on("data", stage.heard("data"))
      channel.push("bin", Uint8Array.of(1, 2, 3).buffer).receive("ok", stage.heard("ok"))
      const frame = (...parts: any[]) =>
        Uint8Array.from(parts.flatMap((p) => (typeof p === "string" ? [...new TextEncoder().encode(p)] : p)))
          .buffer
      stage.server().onmessage({ data: frame(1, 1, 1, 6, 2, "3", "4", "room:1", "ok", 9, 8) })
      stage.server().onmessage({ data: frame(0, 1, 6, 4, "3", "room:1", "data", 7) })
      stage.server().onmessage({ data: frame(2, 6, 4, "room:1", "data", 6) })
    })
    expect(log).toContainEqual(["data", [6], null, "3"])
    expect(log).toContainEqual(["ok", [9, 8]])
  })
})
